"""A soak of faults: sends are hit in every way, and checked against the server's own log."""
