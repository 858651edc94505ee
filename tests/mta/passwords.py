"""Tells a mail server whether a login is good, as Dovecot does."""

import socketserver
from base64 import b64decode

USER = "news@example.org"
PASSWORD = "a password ☂ of its own"


class Passwords(socketserver.ThreadingTCPServer):
    """What Postfix asks whether a login is good: one user, Dovecot's protocol of version 1."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Question)


class _Question(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(
            b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n"
        )
        for line in self.rfile:
            command, *fields = line.decode().rstrip("\n").split("\t")
            if command == "AUTH":
                self.wfile.write(_answer(fields).encode())


def _answer(fields: list[str]) -> str:
    resp = next(field for field in fields if field.startswith("resp="))
    _, user, password = b64decode(resp.removeprefix("resp=")).decode().split("\0")
    if (user, password) == (USER, PASSWORD):
        return f"OK\t{fields[0]}\tuser={user}\n"
    return f"FAIL\t{fields[0]}\tuser={user}\n"
