"""newsletter-mail: compose an email newsletter from a text file, and send it exactly once."""

__version__ = "0.1.0"
