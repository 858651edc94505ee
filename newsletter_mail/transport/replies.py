"""What an answer of an SMTP server means for a delivery. Pure; tables, read from the top.

The class of an answer is made of its stage, basic code, enhanced code and text, never of its
first digit alone: "5yz means dead" would kill every second live address, because servers say
550 for spam, policy, quota and missing PTR records as well. Three rules stand above the tables:

- The basic code decides whether to try again; the enhanced code only says why (Gmail lists
  ``421 5.7.32``).
- Text about policy, authentication or reputation wins over 5.1.x and 5.2.1 (Microsoft says
  ``550 5.1.x Access denied``).
- What is not known is soft: never a dead address.

Sources: RFC 5321 section 4.2, RFC 3463, RFC 5248 and its IANA registry, RFC 7372, RFC 7505; the
published code lists of Gmail, Yahoo and Outlook.com; what Postfix, Exim and Exchange really say.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from newsletter_mail.transport.reply_parser import RawReply
from newsletter_mail.words import Outcome, Reply, Stage, Verdict

# A mailbox named spam@ and a link to a policy page say nothing about us.
_QUOTED = re.compile(r"<[^>]*>|\S+@\S+|https?:\S+", re.IGNORECASE)

_BEFORE_ANY_MESSAGE = frozenset({Stage.CONNECT, Stage.TLS, Stage.AUTH})


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line of a table; a pattern that is empty fits everything.

    ``enhanced`` fits subject and detail of the code, whole; a reply without a code fits only what
    allows the empty string. ``text`` is searched for, without regard to case.
    """

    verdict: Verdict
    enhanced: re.Pattern[str] | None = None
    text: re.Pattern[str] | None = None
    stages: frozenset[Stage] | None = None

    def fits(self, stage: Stage, subject: str, text: str) -> bool:
        return (
            (self.stages is None or stage in self.stages)
            and (self.enhanced is None or self.enhanced.fullmatch(subject) is not None)
            and (self.text is None or self.text.search(text) is not None)
        )


def _rule(verdict: Verdict, enhanced: str = "", text: str = "", *stages: Stage) -> _Rule:
    return _Rule(
        verdict,
        re.compile(enhanced) if enhanced else None,
        re.compile(text, re.IGNORECASE) if text else None,
        frozenset(stages) or None,
    )


# The recipient's own mailbox is flooded: Gmail's 450 4.2.1 and 550 5.2.1 in the same words.
_RECIPIENT_RATE = r"receiving (?:e?mail|messages) at a rate|receiving (?:e?mail|messages) too"
_TOO_FAST = (
    r"rate.?limit|throttl|unusual rate|sending rate|rate (?:is )?exceeded|too fast"
    r"|slow(?:ing)? down"
    r"|too many (?:messages|e?mails|deliveries)(?!.{0,40}(?:session|connection))"
    r"|too many (?:concurrent|connections|sessions)"
    r"|\bTS0[1-4]\b|\bRP-00[1-3]\b|\bS3114\b|\bS775\b|server busy"
    r"|(?:daily|hourly|sending|relay(?:ing)?|outgoing|outbound)\b.{0,24}\b(?:limit|quota)"
)
_REPUTATION = (
    r"reputation|spamhaus|spamcop|barracuda|blocked using|block ?list|black ?list|\bRBL\b|\bDNSBL\b"
    r"|\bSC-00[1-4]\b|\bDY-00[12]\b|\bOU-00[12]\b|\bS3140\b|\bS3150\b|banned"
    r"|unsolicited.{0,40}your IP"
)
_UNAUTHENTICATED = (
    r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not (?:permitted|allowed))|unable to relay"
    r"|not permitted to relay|authentication (?:is )?required|must (?:be )?authenticate|send.?as"
    r"|sender address rejected|sender (?:verify|verification) failed|sender domain"
    r"|\bSPF\b|\bDKIM\b|\bDMARC\b|unauthenticated|reverse dns|\bPTR\b"
)
_POLICY = r"access denied|policy|spam|blocked|prohibited|not authori[sz]ed|unsolicited|denied|virus"
_UNKNOWN_USER = (
    r"(?:user|recipient|mailbox|address|account|person)\b.{0,40}\b(?:unknown|does ?n[o']t exist|"
    r"does not exist|not found|not known)|(?:unknown|no such|invalid) (?:local )?"
    r"(?:user|recipient|mailbox|person|address|account)|no mailbox here"
    r"|not (?:a|our) (?:known )?user"
    r"|does(?: not|n't) have an? .{0,30}account|domain (?:name )?(?:not found|does not exist)"
)
_INACTIVE = (
    r"(?:user|account|mailbox|recipient)\b.{0,60}\b(?:disabled|suspended|inactive|deactivated)"
    r"|(?:disabled|suspended|inactive|deactivated) (?:user|account|mailbox|recipient)"
)
_FULL = r"(?:mailbox|quota|storage|inbox)\b.{0,40}\b(?:full|exceeded)|over ?quota|out of storage"
# Enhanced codes that say no more than the first digit does.
_VAGUE = r"|0\.0|1\.0|2\.0|3\.0|5\.0"

# 4yz. What is not in it is TRY_LATER.
_LATER = (
    _rule(Verdict.TRY_LATER, text=_RECIPIENT_RATE),
    _rule(Verdict.TRY_LATER, text=r"gr[ea]y.?list|too many recipients"),
    _rule(Verdict.THROTTLED, r"7\.28|7\.(?:2[3-9]|3[0-2])|7\.40|7\.500|7\.515|7\.65\d|1\.8"),
    _rule(Verdict.TRY_LATER, r"2\.2"),
    _rule(Verdict.THROTTLED, text=_TOO_FAST),
    _rule(Verdict.THROTTLED, text=_REPUTATION),
)

# 5yz. What is not in it is MESSAGE_REFUSED.
_NEVER = (
    _rule(Verdict.WE_ARE_REFUSED, "", "", *_BEFORE_ANY_MESSAGE),
    _rule(Verdict.ADDRESS_UNSUPPORTED, r"6\.7"),
    _rule(Verdict.ADDRESS_UNSUPPORTED, r"", r"SMTPUTF8|internationali[sz]ed (?:mail|address)"),
    _rule(Verdict.MESSAGE_REFUSED, r"3\.4|2\.3"),
    _rule(Verdict.MESSAGE_REFUSED, _VAGUE, r"(?:message|mail) size|too (?:big|large)"),
    _rule(Verdict.WE_ARE_REFUSED, "", "", Stage.MAIL),
    _rule(Verdict.TRY_LATER, text=_RECIPIENT_RATE),
    _rule(Verdict.ADDRESS_DEAD, r"7\.1[78]"),
    _rule(Verdict.MAILBOX_UNAVAILABLE, r"7\.13"),
    # Our address, our DNS records, our account, our quota, our fame.
    _rule(Verdict.WE_ARE_REFUSED, r"1\.[78]|4\.5|7\.(?:[89]|2[0-9]|3[0-2]|40|60|515)|2\.252"),
    _rule(Verdict.WE_ARE_REFUSED, r"7\.(?:50[1-8]|511|60[6-9]|6[1-4]\d|70[58]|750)"),
    _rule(Verdict.WE_ARE_REFUSED, text=_UNAUTHENTICATED),
    _rule(Verdict.WE_ARE_REFUSED, text=_REPUTATION),
    _rule(Verdict.MAILBOX_UNAVAILABLE, r"2\.[12]"),
    _rule(Verdict.WE_ARE_REFUSED, text=_TOO_FAST),
    _rule(Verdict.MAILBOX_UNAVAILABLE, _VAGUE, _FULL),
    _rule(Verdict.MESSAGE_REFUSED, r"1\.\d+", _POLICY),
    _rule(Verdict.ADDRESS_DEAD, r"1\.(?:[1236]|10)|4\.4"),
    _rule(Verdict.MAILBOX_UNAVAILABLE, _VAGUE + r"|2\.\d+|7\.1", _INACTIVE),
    _rule(Verdict.MESSAGE_REFUSED, _VAGUE, _POLICY),
    _rule(Verdict.ADDRESS_DEAD, _VAGUE, _UNKNOWN_USER),
)


def classify_reply(stage: Stage, reply: Reply) -> Verdict:
    """What an answer means for the delivery that it was given to.

    An answer that is no refusal (2yz, or 354 to DATA) is ``ACCEPTED``; only after the final dot
    does that mean that the message is the server's.

    >>> classify_reply(Stage.RCPT, Reply(550, "5.1.1 User unknown", "5.1.1")).value
    'address_dead'
    """
    if 200 <= reply.code < 400:
        return Verdict.ACCEPTED
    is_permanent = reply.code >= 500
    # Missing authentication is about us at any stage (RFC 4954 section 6).
    if reply.code in {530, 534, 535, 538}:
        return Verdict.WE_ARE_REFUSED
    if reply.code == 556:  # the domain says that it takes no mail (RFC 7504, RFC 7505)
        return Verdict.ADDRESS_DEAD
    subject = reply.enhanced.partition(".")[2]
    text = _QUOTED.sub(" ", reply.text)
    for rule in _NEVER if is_permanent else _LATER:
        if rule.fits(stage, subject, text):
            is_doubtful = rule.verdict is Verdict.ADDRESS_DEAD and reply.enhanced[:1] == "4"
            return Verdict.MAILBOX_UNAVAILABLE if is_doubtful else rule.verdict
    if is_permanent:
        return Verdict.MESSAGE_REFUSED
    # No recipient has been named yet, so it is about us or about the server as a whole. 421 only
    # ends the connection.
    about_us = stage is Stage.MAIL and reply.code != 421
    return Verdict.THROTTLED if about_us else Verdict.TRY_LATER


def outcome_of(stage: Stage, raw: RawReply) -> Outcome:
    """What became of a message, by the answer that it got at this stage."""
    reply = raw.cleaned()
    return Outcome(classify_reply(stage, reply), reply, stage)


# Many servers say the same about each message that they take.
@lru_cache(maxsize=16)
def content_outcome(raw: RawReply) -> Outcome:
    """What became of a message, by the answer to the whole of it."""
    return outcome_of(Stage.BODY, raw)
