"""Rules on what mail programs and filters take for an attack."""

import re
from collections.abc import Iterator

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.html import elements
from newsletter_mail.checks.registry import rule
from newsletter_mail.checks.resources import resources_of

_ADVICE = "take it out, of the template or of ::: html"
_ACTIVE_ADDRESS = re.compile(r"\s*(?:javascript|vbscript)\s*:", re.IGNORECASE)


@rule(
    "security.script",
    Level.ERROR,
    says="There is no script: mail programs drop it, and filters the whole mail.",
    advice=_ADVICE,
)
def _script(case: Case) -> Iterator[Hit]:
    for _ in elements(case.tree, "script"):
        yield Hit("there is a <script>", case.source.line_with("<script"))
    for element in elements(case.tree):
        for name in ("href", "src", "action", "background"):
            if _ACTIVE_ADDRESS.match(element.get(name) or ""):
                yield Hit(f"{name} of <{element.tag}> is a script")


@rule(
    "security.event-handler",
    Level.ERROR,
    says="No attribute is a script: onclick, onload and their kin.",
    advice=_ADVICE,
)
def _event_handler(case: Case) -> Iterator[Hit]:
    for element in elements(case.tree):
        for name in element.attrib:
            if re.fullmatch(r"on[a-z]{3,}", str(name)):
                line = case.source.line_with(f"{name}=")
                yield Hit(f"<{element.tag}> has {name}", line)


@rule(
    "security.form",
    Level.ERROR,
    says="There is no form: programs warn of it or drop it.",
    advice="link a page with the form",
)
def _form(case: Case) -> Iterator[Hit]:
    for form in elements(case.tree, "form", "input", "textarea", "select", "button"):
        yield Hit(f"there is a <{form.tag}>", case.source.line_with(f"<{form.tag}"))
        return


@rule(
    "security.frame",
    Level.ERROR,
    says="There is no iframe, object or embed, and no page that goes to another by itself.",
    advice="link the page",
)
def _frame(case: Case) -> Iterator[Hit]:
    for frame in elements(case.tree, "iframe", "frame", "object", "embed", "applet", "base"):
        yield Hit(f"there is a <{frame.tag}>", case.source.line_with(f"<{frame.tag}"))
    for meta in elements(case.tree, "meta"):
        if (meta.get("http-equiv") or "").lower() == "refresh":
            yield Hit("there is a <meta> that goes to another page")


@rule(
    "security.data-url",
    Level.ERROR,
    says="No address holds its content itself (data:): filters and Gmail block it.",
    advice="save it as a file in the folder of the issue",
)
def _data_url(case: Case) -> Iterator[Hit]:
    addresses = [(address, by) for address, by in resources_of(case)]
    addresses += [(href, "<a href>") for href, _ in case.author_links()]
    for address, by in addresses:
        if address.lower().startswith("data:"):
            yield Hit(f"{address[:30]} in {by} is a data URL", case.source.line_with(address[:30]))
