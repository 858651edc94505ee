"""People and suppressions from a file, as a stream: memory does not grow with the file."""
