"""The command line: parses, calls one function of the floors below, prints."""
