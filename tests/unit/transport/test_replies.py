"""The tables, against what servers really say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.transport.replies import classify_reply
from newsletter_mail.transport.reply_parser import clean_reply
from newsletter_mail.words import Reply, Stage, Verdict

DEAD = Verdict.ADDRESS_DEAD
FULL = Verdict.MAILBOX_UNAVAILABLE
REFUSED = Verdict.MESSAGE_REFUSED
LATER = Verdict.TRY_LATER
THROTTLED = Verdict.THROTTLED
WE = Verdict.WE_ARE_REFUSED
UNSUPPORTED = Verdict.ADDRESS_UNSUPPORTED


def classify(stage: Stage, line: str) -> Verdict:
    return classify_reply(stage, clean_reply(int(line[:3]), (line[4:].encode(),)))


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        # The address or its domain does not exist.
        ("550 5.1.1 <x@y.test>: Recipient address rejected: User unknown in local table", DEAD),
        ("550 5.1.1 <spam@policy.test>: Recipient address rejected: User unknown", DEAD),
        ("550-5.1.1 The email account that you tried to reach does not exist.", DEAD),
        (
            "550 5.1.1 does not exist https://support.google.com/mail/policy?p=spam - gsmtp",
            DEAD,
        ),
        ("501 5.1.3 Bad recipient address syntax", DEAD),
        ("553 5.1.2 We weren't able to find the recipient domain", DEAD),
        ("550 5.1.6 Recipient has moved", DEAD),
        ("556 5.1.10 <x@y.test>: Recipient address rejected: Domain y.test does not accept", DEAD),
        ("550 5.4.4 Host or domain name not found", DEAD),
        ("550 5.1.0 Recipient address rejected: User unknown", DEAD),
        ("550 No such user here", DEAD),
        ("550 Unknown user", DEAD),
        (
            "554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0]",
            DEAD,
        ),
        ("571 5.7.17 Mailbox owner has changed", DEAD),
        # There, and takes nothing.
        ("552 5.2.2 The email account that you tried to reach is over quota and inactive.", FULL),
        ("552 Requested mail action aborted: mailbox full, quota exceeded", FULL),
        ("550 5.2.1 The email account that you tried to reach is disabled.", FULL),
        ("525 5.7.13 User account disabled", FULL),
        (
            "554 30 Sorry, your message cannot be delivered. This mailbox is disabled (554.30).",
            FULL,
        ),
        # Later, about the recipient.
        ("452 4.2.2 The email account that you tried to reach is over quota", LATER),
        ("450 4.2.0 <x@y.test>: Recipient address rejected: Greylisted, see https://p.test", LATER),
        ("451 4.7.1 Greylisting in action, please come back later", LATER),
        ("450 4.7.1 <x@y.test>: Recipient address rejected: Greylisted", LATER),
        ("451 4.7.1 Try again later", LATER),
        ("450 4.2.1 The user you are trying to contact is receiving mail at a rate that", LATER),
        ("550 5.2.1 The user you are trying to contact is receiving mail at a rate that", LATER),
        ("452 4.5.3 Error: too many recipients", LATER),
        ("452 4.3.1 Insufficient system storage", LATER),
        ("421 4.3.2 Service shutting down", LATER),
        ("421 Too many messages for this session, please reconnect", LATER),
        ("421 4.7.0 Error: too many errors", LATER),
        ("432 something that nobody has heard of", LATER),
        ("450 5.1.1 no such user, says the enhanced code", LATER),
        # Later, because of us.
        ("421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", THROTTLED),
        ("450 4.7.28 rate", THROTTLED),
        ("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred: unusual rate", THROTTLED),
        ("421 4.7.0 [TS01] Messages temporarily deferred", THROTTLED),
        ("421 4.7.26 This mail has been rate limited because it is unauthenticated", THROTTLED),
        ("450 4.7.23 the IP address has no PTR record", THROTTLED),
        ("421 5.7.32 aligned From is required", THROTTLED),
        ("451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited", THROTTLED),
        ("454 Throttling failure: Maximum sending rate exceeded.", THROTTLED),
        ("454 Throttling failure: Daily message quota exceeded.", THROTTLED),
        ("421 RP-001 The mail server IP connecting has exceeded the rate", THROTTLED),
        ("451 4.7.500 Server busy. Please try again later (S77719)", THROTTLED),
        ("450 4.1.8 <n@x.test>: Sender address rejected: Domain not found", THROTTLED),
        ("421 4.7.0 too many concurrent connections", THROTTLED),
        # We are refused.
        ("530 5.7.0 Authentication required", WE),
        ("535 5.7.8 Username and Password not accepted", WE),
        ("550 5.7.26 Unauthenticated email from x.test is not accepted due to DMARC policy", WE),
        ("550 5.7.27 SPF", WE),
        ("550 5.7.25 The IP address sending this message does not have a PTR record", WE),
        ("550 5.7.28 unusual rate of unsolicited mail originating from your IP address", WE),
        ("550 5.7.29 TLS required", WE),
        ("550 5.7.30 DKIM", WE),
        ("550 5.7.515 Access denied, sending domain x.test does not meet the required level", WE),
        ("550 5.7.60 SMTP; Client does not have permissions to send as this sender", WE),
        ("554 5.2.252 SendAsDenied; x@y.test not allowed to send as z@y.test", WE),
        ("554 5.7.1 <x@y.test>: Relay access denied", WE),
        ("550 Relaying denied", WE),
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.test", WE),
        ("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent (S3150), block list", WE),
        ("550 SC-001 (COL004) Unfortunately, messages from 192.0.2.1 weren't sent", WE),
        ("550 5.7.1 suspicious due to the very low reputation of the sending IP address", WE),
        ("550 5.1.8 <n@x.test>: Sender address rejected: Domain not found", WE),
        ("553 5.7.1 <n@x.test>: Sender address rejected: not owned by user me", WE),
        ("550 5.4.5 Daily user sending limit exceeded", WE),
        ("550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP", WE),
        ("550 5.7.1 Daily sending quota exceeded for your account", WE),
        # This message, or a policy: never the address.
        ("550 5.7.1 rejected by policy", REFUSED),
        ("550 5.7.1 Our system has detected that this message is likely unsolicited mail", REFUSED),
        ("550 5.1.0 Access denied", REFUSED),
        ("550 5.1.1 Access denied, spam abuse detected from IP range", REFUSED),
        ("550 5.4.1 Recipient address rejected: Access denied", REFUSED),
        ("554 5.6.0 Message content rejected", REFUSED),
        ("552 5.3.4 Message size exceeds fixed limit", REFUSED),
        ("552 5.2.3 Message is too large", REFUSED),
        ("552 message size exceeds the daily limit", REFUSED),
        ("554 Transaction failed", REFUSED),
        ("550 Requested action not taken: mailbox unavailable", REFUSED),
        ("554 5.4.6 Too many hops", REFUSED),
        ("503 5.5.1 Bad sequence of commands", REFUSED),
        ("550 4.1.1 a class that contradicts the code, and a word that says nothing", FULL),
        ("599 9.9.9 from the moon", REFUSED),
        ("553 5.6.7 SMTPUTF8 required", UNSUPPORTED),
        ("550 5.6.7 <jörg@y.test>: message has internationalized address", UNSUPPORTED),
        ("553 mailbox name needs SMTPUTF8", UNSUPPORTED),
        ("250 2.1.5 Ok", Verdict.ACCEPTED),
        ("251 2.1.5 will forward", Verdict.ACCEPTED),
    ],
)
@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.BODY])
def test_about_a_message(stage: Stage, line: str, verdict: Verdict) -> None:
    assert classify(stage, line) is verdict


@pytest.mark.parametrize(
    ("stage", "line", "verdict"),
    [
        (Stage.CONNECT, "554 5.7.1 no SMTP service here", WE),
        (Stage.CONNECT, "421 4.3.2 not now", LATER),
        (Stage.CONNECT, "421 4.7.0 too many connections from your IP", THROTTLED),
        (Stage.TLS, "454 4.7.0 TLS not available due to temporary reason", LATER),
        (Stage.AUTH, "535 5.7.8 authentication failed", WE),
        (Stage.AUTH, "534 5.7.9 application-specific password required", WE),
        (Stage.AUTH, "504 5.7.40 unrecognised authentication type", WE),
        (Stage.AUTH, "454 4.7.0 temporary authentication failure", LATER),
        (Stage.MAIL, "550 5.1.7 bad sender's mailbox address", WE),
        (Stage.MAIL, "550 5.7.1 not you", WE),
        (Stage.MAIL, "530 5.7.0 Must issue a STARTTLS command first", WE),
        (Stage.MAIL, "552 5.3.4 Message too big for system", REFUSED),
        (Stage.MAIL, "550 5.6.7 SMTPUTF8 not supported", UNSUPPORTED),
        (Stage.MAIL, "555 5.5.4 Unsupported option", WE),
        (Stage.MAIL, "452 4.3.1 Insufficient system storage", THROTTLED),
        (Stage.MAIL, "451 4.3.0 try later", THROTTLED),
        (Stage.MAIL, "421 4.3.2 enough for one connection", LATER),
        (Stage.DATA, "354 go ahead", Verdict.ACCEPTED),
        (Stage.DATA, "554 5.5.1 no valid recipients", REFUSED),
        (Stage.DATA, "451 4.3.0 queue file write error", LATER),
    ],
)
def test_by_stage(stage: Stage, line: str, verdict: Verdict) -> None:
    assert classify(stage, line) is verdict


@given(
    st.sampled_from(Stage),
    st.integers(400, 499),
    st.text(max_size=60),
    st.from_regex(r"\A([245]\.[0-9]{1,3}\.[0-9]{1,3})?\Z"),
)
def test_the_basic_code_decides_about_another_try(
    stage: Stage, code: int, text: str, enhanced: str
) -> None:
    assert classify_reply(stage, Reply(code, text, enhanced)) in {LATER, THROTTLED}


@given(st.sampled_from([Stage.RCPT, Stage.DATA, Stage.BODY]), st.text(max_size=60))
def test_what_is_not_known_never_kills_an_address(stage: Stage, text: str) -> None:
    reply = Reply(550, "5.7.1 " + text, "5.7.1")
    assert classify_reply(stage, reply) is not DEAD
