"""Rules on what decides between inbox and spam: the sender, the way out, the words."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.html import elements, is_seen, words
from newsletter_mail.checks.links import host_of, is_local
from newsletter_mail.checks.registry import Scope, rule
from newsletter_mail.settings import Settings

#: Whoever has an address there may not send as them from elsewhere (DMARC).
FREE_MAILERS = frozenset(
    {
        "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de",
        "ymail.com", "aol.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "hotmail.fr",
        "live.com", "msn.com", "icloud.com", "me.com", "mac.com", "gmx.de", "gmx.net", "gmx.at",
        "gmx.ch", "gmx.com", "web.de", "t-online.de", "freenet.de", "orange.fr", "wanadoo.fr",
        "free.fr", "laposte.net", "sfr.fr", "libero.it", "virgilio.it", "mail.ru", "yandex.ru",
        "proton.me", "protonmail.com", "qq.com", "163.com", "126.com", "naver.com", "uol.com.br",
        "bol.com.br", "zoho.com", "fastmail.com", "hey.com", "mail.com",
    }
)  # fmt: skip
_EXAMPLES = frozenset({"example.org", "example.com", "example.net"})
_NO_REPLY = re.compile(r"(?:no|do-?not|ne-?pas|nicht)[-_.]?(?:reply|repondre|antworten)|noreply")
# In a subject, these are what filters were made for.
_SPAM = re.compile(
    r"\b(?:100 ?% free|act now|amazing offer|apply now and|best price|buy now|cash bonus|"
    r"click below|congratulations,? you|double your|earn (?:extra )?(?:cash|money)|"
    r"free (?:gift|money|trial)|get rich|guaranteed winner|limited time offer|"
    r"lose weight|make money|miracle|no (?:credit check|obligation|risk)|once in a lifetime|"
    r"order now|risk[- ]free|this is not spam|urgent response|winner!|work from home|"
    r"you have been selected|you(?:'ve| have) won)\b",
    re.IGNORECASE,
)
_REPLY_MARK = re.compile(r"\s*(?:re|fwd?|aw|wg|tr)\s*:", re.IGNORECASE)
_SHOUTING_FROM = 12
_FILE = "newsletter.toml"


def _is_real(settings: Settings) -> bool:
    """Mail leaves the machine."""
    return not settings.transport.url.startswith("maildir:")


@rule(
    "deliverability.postal-address",
    Level.WARNING,
    scope=Scope.SETTINGS,
    says="The sender's postal address stands in each issue.",
    advice="fill it in; the law of many countries wants one in each issue",
    source="CAN-SPAM, CASL",
)
def _postal_address(settings: Settings) -> Iterator[Hit]:
    if not settings.sender.postal_address:
        yield Hit("[sender] postal_address is empty")


@rule(
    "deliverability.base-url",
    Level.WARNING,
    scope=Scope.SETTINGS,
    says="The public pages are https, and where readers can reach them.",
    advice="write the https address at which readers reach `newsletter serve`: one-click "
    "unsubscribe wants https, and pictures are loaded from there",
    source="RFC 8058, 3",
)
def _base_url(settings: Settings) -> Iterator[Hit]:
    base_url = settings.web.base_url
    if not _is_real(settings) or base_url.startswith("https://"):
        return
    relay = urlsplit(settings.transport.url).hostname or ""
    is_lost = is_local(host_of(base_url)) and not is_local(relay)
    yield Hit(f"[web] base_url is {base_url}", level=Level.ERROR if is_lost else Level.WARNING)


@rule(
    "deliverability.example-sender",
    Level.WARNING,
    scope=Scope.SETTINGS,
    says="The sender is not the example that the settings begin with.",
    advice="write your own address",
)
def _example_sender(settings: Settings) -> Iterator[Hit]:
    if _is_real(settings) and settings.sender.address.domain in _EXAMPLES:
        yield Hit(f"[sender] from is {settings.sender.from_}, which is an example")


@rule(
    "deliverability.free-mailer",
    Level.WARNING,
    scope=Scope.SETTINGS,
    says="The sender's address is of a domain of one's own.",
    advice="send from a domain of your own: receivers refuse mail as from there that comes from "
    "elsewhere",
    source="RFC 7489",
)
def _free_mailer(settings: Settings) -> Iterator[Hit]:
    domain = settings.sender.address.domain.lower()
    if domain in FREE_MAILERS:
        yield Hit(f"[sender] from is an address at {domain}")


@rule(
    "deliverability.reply-to",
    Level.WARNING,
    scope=Scope.SETTINGS,
    says="Answers come to somebody.",
    advice="name an address that somebody reads: people answer newsletters, to leave them too",
)
def _reply_to(settings: Settings) -> Iterator[Hit]:
    address = settings.sender.reply_address or settings.sender.address
    if _NO_REPLY.search(address.wire.partition("@")[0].lower()):
        yield Hit(f"answers go to {address.wire}")


@rule(
    "deliverability.unsubscribe-link",
    Level.ERROR,
    says="The way to unsubscribe is in the HTML, to be seen, and in the plain text.",
    advice="put {{ unsubscribe_url }} into the template, as a link with a text",
    source="CAN-SPAM; Gmail and Yahoo's rules for senders",
)
def _unsubscribe_link(case: Case) -> Iterator[Hit]:
    ways = {case.links.unsubscribe_url, case.links.preferences_url}
    links = [link for link in elements(case.tree, "a") if (link.get("href") or "") in ways]
    if not links:
        yield Hit("there is no link to unsubscribe in the HTML")
    elif not any(_can_be_seen(link) for link in links):
        yield Hit("the link to unsubscribe cannot be seen")
    if case.build.text and not any(way in case.text for way in ways):
        yield Hit("there is no link to unsubscribe in the plain text")


def _can_be_seen(link: HtmlElement) -> bool:
    return is_seen(link) and bool(words(link))


@rule(
    "deliverability.list-unsubscribe",
    Level.ERROR,
    says="The message says in its header how to unsubscribe, with one click.",
    advice="this is a defect of newsletter-mail; please report it",
    source="RFC 2369; RFC 8058, 3.1",
)
def _list_unsubscribe(case: Case) -> Iterator[Hit]:
    if not case.message:
        return
    headers = message_from_bytes(case.message)
    if case.links.unsubscribe_url not in "".join((headers["List-Unsubscribe"] or "").split()):
        yield Hit("List-Unsubscribe does not name the address to unsubscribe at")
    if headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
        yield Hit("there is no List-Unsubscribe-Post")


@rule(
    "deliverability.spam-phrase",
    Level.WARNING,
    says="The subject and the preheader have nothing that spam filters look for.",
    advice="say what the issue is about, in plain words",
)
def _spam_phrase(case: Case) -> Iterator[Hit]:
    line = case.source.line_of_key("subject")
    subject = case.subject
    preheader = case.source.entry("preheader")
    for key, text in (("subject", subject), ("preheader", preheader)):
        if match := _SPAM.search(text):
            where = case.source.line_of_key(key)
            yield Hit(f"“{match[0]}” in the {key} is what spam says", where)
    if re.search(r"[!?]{2}|[$€£]{2}", subject):
        yield Hit("the subject shouts with its signs", line)
    letters = [letter for letter in subject if letter.isalpha()]
    if len(letters) >= _SHOUTING_FROM and subject == subject.upper() != subject.lower():
        yield Hit("the subject is all in capitals", line)


@rule(
    "deliverability.reply-mark",
    Level.WARNING,
    says="The subject does not pretend to be an answer.",
    advice="take it out: this is no answer, and the law of some countries forbids to say so",
    source="CAN-SPAM",
)
def _reply_mark(case: Case) -> Iterator[Hit]:
    if match := _REPLY_MARK.match(case.subject):
        yield Hit(f"the subject begins with {match[0].strip()}", case.source.line_of_key("subject"))
