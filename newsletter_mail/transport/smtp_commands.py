"""The commands that begin a message, and the messages that a server cannot take. Pure."""

from newsletter_mail.transport.extensions import Extensions
from newsletter_mail.words import Outcome, Outgoing, Reply, Stage, Verdict


def refuse_unsent(outgoing: Outgoing, extensions: Extensions, peer: str) -> Outcome | None:
    """The outcome of a message that this server cannot take, without a try; else None.

    Args:
        peer: the server's name, for the sentence.
    """
    envelope = outgoing.envelope
    for address in (envelope.sender, envelope.recipient):
        if not address.isprintable() or "<" in address or ">" in address:
            reason = "the address holds characters that would break the SMTP envelope"
            return Outcome(Verdict.MESSAGE_REFUSED, Reply(0, reason), Stage.MAIL)
    if not extensions.smtputf8 and _needs_smtputf8(outgoing):
        reason = f"{peer} does not take addresses that are not ASCII (SMTPUTF8)"
        return Outcome(Verdict.ADDRESS_UNSUPPORTED, Reply(0, reason), Stage.RCPT)
    if 0 < extensions.max_size < outgoing.size:
        reason = f"the message has {outgoing.size} bytes, {peer} takes {extensions.max_size}"
        return Outcome(Verdict.MESSAGE_REFUSED, Reply(0, reason), Stage.MAIL)
    if not extensions.eight_bit and _is_eight_bit(outgoing):
        reason = f"{peer} takes ASCII only (no 8BITMIME), and the message is not"
        return Outcome(Verdict.MESSAGE_REFUSED, Reply(0, reason), Stage.MAIL)
    return None


def mail_command(outgoing: Outgoing, extensions: Extensions) -> bytes:
    """MAIL with the parameters that the server understands (RFC 1870, 6152, 6531)."""
    size = f" SIZE={outgoing.size}" if extensions.announces_size else ""
    body = " BODY=8BITMIME" if extensions.eight_bit and _is_eight_bit(outgoing) else ""
    utf8 = " SMTPUTF8" if _needs_smtputf8(outgoing) else ""
    return f"MAIL FROM:<{outgoing.envelope.sender}>{size}{body}{utf8}\r\n".encode()


def rcpt_command(outgoing: Outgoing) -> bytes:
    """RCPT for the one recipient."""
    return f"RCPT TO:<{outgoing.envelope.recipient}>\r\n".encode()


def _needs_smtputf8(outgoing: Outgoing) -> bool:
    envelope = outgoing.envelope
    if envelope.needs_smtputf8:
        return True
    return not (envelope.recipient.isascii() and envelope.sender.isascii())


def _is_eight_bit(outgoing: Outgoing) -> bool:
    return not outgoing.is_ascii and not all(map(bytes.isascii, outgoing.content))
