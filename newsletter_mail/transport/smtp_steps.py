"""What an SMTP session waits for, and for the sake of which message. No I/O."""

from enum import Enum

from newsletter_mail.words import Outcome, Outgoing, Stage


class Step(Enum):
    """An answer that is waited for; the value is the stage that it belongs to."""

    MAIL = Stage.MAIL
    RCPT = Stage.RCPT
    DATA = Stage.DATA
    BODY = Stage.BODY


class Aside(Enum):
    """An answer that is waited for and tells nothing about a message."""

    OPENING = 1
    RSET = 2
    #: To the lone dot after a DATA that the server took though it had refused the recipient.
    LONE_DOT = 3
    QUIT = 4


# On Python 3.11 an attribute of an Enum costs 0.1 µs, and these are asked for 20 times a message.
MAIL, RCPT, DATA, BODY = Step
OPENING, RSET, LONE_DOT, QUIT = Aside

#: The answers to an envelope that leaves as one group (RFC 2920).
ENVELOPE = (MAIL, RCPT, DATA)


class Transaction:
    """A message on its way through MAIL, RCPT, DATA and the content."""

    __slots__ = ("has_recipient", "outgoing", "refusal")

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing
        self.refusal: Outcome | None = None
        self.has_recipient = False
