"""Rules on links: where they lead and what they say. ``online`` asks the servers."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.html import elements, squeezed, words
from newsletter_mail.checks.registry import rule

#: What a link may say to nobody who hears only the link (English, French, German, Spanish,
#: Italian, Portuguese).
VAGUE = frozenset(
    {
        "click here", "click", "here", "read more", "more", "learn more", "this", "this link",
        "link", "more info", "details", "see more", "continue", "continue reading", "find out more",
        "go", "website", "this page",
        "cliquez ici", "ici", "lire la suite", "en savoir plus", "plus", "lien", "ce lien",
        "hier", "hier klicken", "klicken sie hier", "mehr", "weiterlesen", "mehr erfahren",
        "haga clic aquí", "haz clic aquí", "aquí", "leer más", "más", "ver más", "saber más",
        "clicca qui", "qui", "leggi di più", "scopri di più",
        "clique aqui", "aqui", "leia mais", "saiba mais", "mais",
    }
)  # fmt: skip

_TRACKING = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|li_fat_id|"
    r"mc_cid|mc_eid|igshid|igsh|_hsenc|_hsmi|mkt_tok|vero_id|oly_anon_id|oly_enc_id|s_cid|"
    r"ml_subscriber\w*|ck_subscriber_id|__s"
)
_WRAPPERS = re.compile(
    r"(?:.*\.)?(?:safelinks\.protection\.outlook\.com|urldefense\.(?:com|proofpoint\.com)|"
    r"l\.facebook\.com|lm\.facebook\.com|list-manage\.com|click\.mlsend\.com|"
    r"linkprotect\.cudasvc\.com)"
)
_SHORTENERS = frozenset(
    {
        "bit.ly", "t.co", "goo.gl", "tinyurl.com", "ow.ly", "is.gd", "buff.ly", "rebrand.ly",
        "cutt.ly", "t.ly", "lnkd.in", "tiny.cc", "shorturl.at", "rb.gy",
    }
)  # fmt: skip
_OF_PROGRAM = re.compile(r"https?://|mailto:|tel:", re.IGNORECASE)


def host_of(url: str) -> str:
    """The host of an address in lower case, or "" where it has none."""
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def is_local(host: str) -> bool:
    """Only this machine, or this network, can reach the host."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".lan", ".internal")):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not address.is_global


@rule(
    "links.http",
    Level.WARNING,
    says="Links are https.",
    advice="write https://, where the site has it: nobody on the way can read or change that",
)
def _http(case: Case) -> Iterator[Hit]:
    for href, _ in case.author_links():
        if href.lower().startswith("http://") and not is_local(host_of(href)):
            yield Hit(f"{href} is not encrypted", case.line_of_link(href))


@rule(
    "links.no-scheme",
    Level.ERROR,
    says="A link is a whole address, https://…, mailto:… or tel:…",
    advice="write the whole address: mail programs do not know where the mail comes from",
)
def _no_scheme(case: Case) -> Iterator[Hit]:
    for href, _ in case.author_links():
        if not _OF_PROGRAM.match(href) and not href.lower().startswith(("javascript:", "data:")):
            yield Hit(f"{href} is not a whole address", case.line_of_link(href))


@rule(
    "links.vague-text",
    Level.WARNING,
    says="The text of a link says where it leads.",
    advice="say where it leads: many people hear the links alone, one after another",
    source="EMC 2026, 10: Link text should be descriptive; WCAG 2.2, 2.4.4",
)
def _vague_text(case: Case) -> Iterator[Hit]:
    for href, link in case.author_links():
        said = words(link)
        if said.casefold().strip(" .:!…→>»") in VAGUE and _is_authors(case, said):
            line = case.source.line_with(f"[{said}](") or case.line_of_link(href)
            yield Hit(f"a link says only “{said}”", line)


def _is_authors(case: Case, said: str) -> bool:
    """The words are not the program's own, which stand beside what they are about."""
    source = case.source
    return not source.lines or any(source.line_with(o) for o in (f"[{said}]", f">{said}<"))


@rule(
    "links.same-text",
    Level.WARNING,
    says="The same text leads to one place.",
    advice="let each say what it is",
    source="WCAG 2.2, 2.4.4",
)
def _same_text(case: Case) -> Iterator[Hit]:
    first: dict[str, str] = {}
    for href, link in case.author_links():
        text = squeezed("".join(link.itertext()))
        known = first.setdefault(text.casefold(), href)
        if text and known != href and text.casefold() not in VAGUE:
            yield Hit(f"“{text}” leads to {known} and to {href}", case.line_of_link(href))


@rule(
    "links.tracking",
    Level.WARNING,
    says="Links carry no marks of somebody's tracking.",
    advice="take it out: it says that the reader came from somebody else's mail or post",
)
def _tracking(case: Case) -> Iterator[Hit]:
    for href, _ in case.author_links():
        if _WRAPPERS.fullmatch(host_of(href)):
            yield Hit(
                f"{href[:80]} goes through somebody who counts the clicks",
                case.line_of_link(href),
                advice="link the page itself",
            )
            continue
        try:
            names = [name for name, _ in parse_qsl(urlsplit(href).query, keep_blank_values=True)]
        except ValueError:
            continue
        marks = [name for name in names if _TRACKING.fullmatch(name)]
        if marks:
            yield Hit(f"{', '.join(marks)} in {href[:80]} tracks", case.line_of_link(href))


@rule(
    "links.shortener",
    Level.WARNING,
    says="Links name the page, not a short form of it.",
    advice="link the page itself: spam filters distrust short addresses, and they hide the target",
)
def _shortener(case: Case) -> Iterator[Hit]:
    for href, _ in case.author_links():
        if host_of(href) in _SHORTENERS:
            yield Hit(f"{href} is a short address", case.line_of_link(href))


@rule(
    "links.local",
    Level.ERROR,
    says="No link leads to a machine that only you can reach.",
    advice="link the public address",
)
def _local(case: Case) -> Iterator[Hit]:
    own = case.settings.web.base_url
    for href, _ in case.author_links():
        is_web = href.lower().startswith(("http:", "https:"))
        if is_web and is_local(host_of(href)) and not href.startswith(own):
            yield Hit(f"{href} can only be reached from here", case.line_of_link(href))


@rule(
    "links.anchor",
    Level.WARNING,
    says="No link leads to a place within the mail.",
    advice="link a page instead: many mail programs do not go to a place in the mail",
)
def _anchor(case: Case) -> Iterator[Hit]:
    for link in elements(case.tree, "a"):
        href = link.get("href") or ""
        if href.startswith("#"):
            yield Hit(f"{href} leads to a place in the mail", case.line_of_link(href))
