"""What can go wrong in a benchmark, as one sentence each."""


class BenchmarkError(Exception):
    """A program failed or gave no sense; what it measured is worth nothing."""


class Missing(BenchmarkError):
    """A program or a library that a line needs is not on this machine."""
