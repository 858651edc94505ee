"""From a build and a recipient to the bytes of a message. Pure: no I/O, no clock, no settings."""
