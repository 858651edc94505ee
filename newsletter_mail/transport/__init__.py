"""Where messages go: an SMTP server, or a Maildir on disk. Bytes in, outcomes out."""
