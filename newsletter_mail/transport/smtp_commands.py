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
    if _needs_smtputf8(outgoing) and not extensions.smtputf8:
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
    parts = [f"MAIL FROM:<{outgoing.envelope.sender}>"]
    if extensions.announces_size:
        parts.append(f"SIZE={outgoing.size}")
    if extensions.eight_bit and _is_eight_bit(outgoing):
        parts.append("BODY=8BITMIME")
    if _needs_smtputf8(outgoing):
        parts.append("SMTPUTF8")
    return (" ".join(parts) + "\r\n").encode()


def rcpt_command(outgoing: Outgoing) -> bytes:
    """RCPT for the one recipient."""
    return f"RCPT TO:<{outgoing.envelope.recipient}>\r\n".encode()


def _needs_smtputf8(outgoing: Outgoing) -> bool:
    envelope = outgoing.envelope
    if envelope.needs_smtputf8:
        return True
    return not (envelope.recipient.isascii() and envelope.sender.isascii())


def _is_eight_bit(outgoing: Outgoing) -> bool:
    return not all(map(bytes.isascii, outgoing.content))
