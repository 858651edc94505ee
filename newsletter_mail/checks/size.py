"""Rules on bytes: of the HTML, of each section, of the whole message."""

from collections.abc import Iterator

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.registry import rule
from newsletter_mail.checks.sections import FRAME, section_costs

#: Gmail cuts the HTML of a message at about 102 KB, and with it the unsubscribe link.
MAX_HTML_BYTES, WARN_HTML_BYTES = 102_000, 90_000
#: Of one section: a third of what there is.
MAX_SECTION_BYTES = 34_000
#: Of the whole message: it goes out once for each subscriber.
MAX_MESSAGE_BYTES = 500_000
_NAMED = 3


@rule(
    "size.html",
    Level.WARNING,
    says=f"The HTML has less than {MAX_HTML_BYTES:,} bytes with the longest merge values of "
    f"anybody on the list; from {WARN_HTML_BYTES:,} on it is a warning.",
    advice="take out or shorten a section",
    source="Gmail",
)
def _html(case: Case) -> Iterator[Hit]:
    size = max(case.html_bytes, len(case.html.encode()))
    if size <= WARN_HTML_BYTES:
        return
    sections = [cost for cost in section_costs(case.html) if cost.heading != FRAME]
    largest = sorted(sections, key=lambda cost: -cost.size)[:_NAMED]
    named = ", ".join(f"{cost.heading} {cost.size:,}" for cost in largest)
    yield Hit(
        f"the HTML has {size:,} bytes; Gmail cuts a message at {MAX_HTML_BYTES:,}, and the "
        f"unsubscribe link with it" + (f". The largest sections are {named}" if named else ""),
        level=Level.ERROR if size > MAX_HTML_BYTES else Level.WARNING,
    )


@rule(
    "size.section",
    Level.WARNING,
    says=f"A section has {MAX_SECTION_BYTES:,} bytes at most, as it is sent: a third of the mail.",
    advice="shorten it, and link the rest",
)
def _section(case: Case) -> Iterator[Hit]:
    for cost in section_costs(case.html):
        if cost.heading != FRAME and cost.size > MAX_SECTION_BYTES:
            line = case.source.line_with(cost.heading)
            yield Hit(f"the section {cost.heading} costs {cost.size:,} bytes", line)


@rule(
    "size.message",
    Level.WARNING,
    says=f"The whole message has {MAX_MESSAGE_BYTES:,} bytes at most.",
    advice="shorten the issue: every subscriber gets all of it",
)
def _message(case: Case) -> Iterator[Hit]:
    if len(case.message) > MAX_MESSAGE_BYTES:
        yield Hit(f"the message has {len(case.message):,} bytes")
