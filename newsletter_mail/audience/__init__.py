"""The people: who they are, which lists they are on, and who must never be written to again."""
