"""Rules for those who hear a mail, or see it badly; those of the Email Markup Consortium by name.

EMC is the Email Markup Consortium's Accessibility Report 2026 (emailmarkup.org), which names the
ten failures that it found most; contrast, the seventh, is in ``contrast``.
"""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.html import elements, is_seen, own_text, pixels, style_of, words
from newsletter_mail.checks.registry import rule

#: Pixels; smaller text is not read on a phone.
MIN_FONT_SIZE = 14

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
_PRESENTATION = frozenset({"presentation", "none"})
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def _outermost(case: Case) -> list[HtmlElement]:
    """The children of ``<body>`` that say something: programs keep these, and not ``<html>``."""
    return [child for child in elements_of(case.body) if is_seen(child) and words(child)]


def elements_of(parent: HtmlElement) -> Iterator[HtmlElement]:
    """The children of an element; comments are none."""
    return (child for child in parent if isinstance(child.tag, str))


@rule(
    "accessibility.body-dir",
    Level.ERROR,
    says="What stands in <body> is wrapped in an element with dir.",
    advice='write dir="ltr" or dir="rtl" on it, in the layout of the template',
    source="EMC 2026, 1: Content inside the body should be wrapped in a dir attribute",
)
def _body_dir(case: Case) -> Iterator[Hit]:
    if any(child.get("dir") is None for child in _outermost(case)):
        yield Hit("an element directly in <body> has no dir")


@rule(
    "accessibility.body-lang",
    Level.ERROR,
    says="What stands in <body> is wrapped in an element with lang.",
    advice="write the language on it, in the layout of the template: many programs drop <html>",
    source="EMC 2026, 2: Content inside the body should be wrapped in a lang attribute",
)
def _body_lang(case: Case) -> Iterator[Hit]:
    if any(child.get("lang") is None for child in _outermost(case)):
        yield Hit("an element directly in <body> has no lang")


@rule(
    "accessibility.table-role",
    Level.ERROR,
    says='A table that only arranges things has role="presentation"; one of data has none.',
    advice='write role="presentation" on a table for the layout, and none on one with <th>',
    source="EMC 2026, 3: Tables used for formatting should have the role attribute set to "
    "presentation or none",
)
def _table_role(case: Case) -> Iterator[Hit]:
    for table in elements(case.tree, "table"):
        is_data = any(_own_table(cell) is table for cell in elements(table, "th"))
        is_layout = table.get("role") in _PRESENTATION
        if is_data and is_layout:
            yield Hit("a table with <th> says that it is only for the layout")
        elif not is_data and not is_layout and not _is_data_without_heads(table):
            yield Hit("a table without <th> does not say that it is only for the layout")


def _own_table(cell: HtmlElement) -> HtmlElement | None:
    return next(iter(cell.iterancestors("table")), None)


def _is_data_without_heads(table: HtmlElement) -> bool:
    return table.find("caption") is not None or table.get("role") in {"table", "grid"}


@rule(
    "accessibility.h1",
    Level.WARNING,
    says="There is a heading of level 1.",
    advice="begin the issue with # and its title",
    source="EMC 2026, 4: Page should contain a level-one heading",
)
def _h1(case: Case) -> Iterator[Hit]:
    if not any(words(heading) for heading in elements(case.tree, "h1")):
        yield Hit("there is no heading of level 1")


@rule(
    "accessibility.link-text",
    Level.ERROR,
    says="Every link has a text, or a picture that says where it leads.",
    advice="give it a text, or its picture an alt that says where it leads",
    source="EMC 2026, 5: Links must have discernible text; WCAG 2.2, 2.4.4",
)
def _link_text(case: Case) -> Iterator[Hit]:
    for link in elements(case.tree, "a"):
        href = link.get("href")
        said = words(link) or link.get("aria-label") or link.get("title")
        if href and not said and is_seen(link):
            yield Hit(f"the link to {href[:80]} has no text", case.line_of_link(href))


@rule(
    "accessibility.html-lang",
    Level.ERROR,
    says="<html> names the language of the mail.",
    advice="write language: … in the front matter, such as en or pt-BR",
    source="EMC 2026, 6: <html> element must have a lang attribute; WCAG 2.2, 3.1.1",
)
def _html_lang(case: Case) -> Iterator[Hit]:
    said = case.tree.get("lang") or ""
    if not _LANGUAGE.fullmatch(said) or said.lower() == "und":
        yield Hit(f"<html> has the language {said!r}", case.source.line_of_key("language"))


@rule(
    "accessibility.title",
    Level.ERROR,
    says="There is a <title>.",
    advice="give the issue a title: # at its beginning",
    source="EMC 2026, 9: Documents must have <title> element to aid in navigation; WCAG 2.2, 2.4.2",
)
def _title(case: Case) -> Iterator[Hit]:
    title = case.tree.find("head/title")
    if title is None or not (title.text or "").strip():
        yield Hit("there is no <title>")


@rule(
    "accessibility.direction",
    Level.ERROR,
    says="The direction is that of the language.",
    advice="put language: right in the front matter, or dir in the template",
)
def _direction(case: Case) -> Iterator[Hit]:
    expected = "rtl" if case.build.language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"
    said = case.tree.get("dir")
    if said is not None and said not in {expected, "auto"}:
        yield Hit(
            f"{case.build.language} is written {expected}, and <html> says {said}",
            case.source.line_of_key("language"),
        )


@rule(
    "accessibility.heading-order",
    Level.WARNING,
    says="Headings go down one level at a time.",
    advice="write ## for a section, ### within one, #### within that",
    source="WCAG 2.2, 1.3.1",
)
def _heading_order(case: Case) -> Iterator[Hit]:
    before = 0
    for heading in elements(case.tree, *_HEADINGS):
        level, text = int(str(heading.tag)[1]), words(heading)
        if level > before + 1 and before:
            line = case.source.line_with(f"# {text}") or case.source.line_with(text)
            yield Hit(f"“{text}” is of level {level}, after one of level {before}", line)
        before = level


@rule(
    "accessibility.reading-order",
    Level.WARNING,
    says="What is read aloud comes in the order in which it is seen.",
    advice="put it in the source where it is to be read",
    source="WCAG 2.2, 1.3.2",
)
def _reading_order(case: Case) -> Iterator[Hit]:
    seen: set[str] = set()
    for element in elements(case.tree):
        for what in _out_of_order(element):
            if what not in seen:
                seen.add(what)
                yield Hit(
                    f"{what} changes the order on the screen alone", case.source.line_with(what)
                )


def _out_of_order(element: HtmlElement) -> Iterator[str]:
    values = style_of(element).values
    if values.get("float") == "right" and not element.get("align"):
        yield "float:right"
    if values.get("order", "0") != "0":
        yield "order"
    if "reverse" in values.get("flex-direction", ""):
        yield f"flex-direction:{values['flex-direction']}"
    if values.get("position") in {"absolute", "fixed"}:
        yield f"position:{values['position']}"
    if re.fullmatch("0*[1-9][0-9]*", element.get("tabindex") or ""):
        yield "tabindex"


@rule(
    "accessibility.small-text",
    Level.WARNING,
    says=f"Text has {MIN_FONT_SIZE} pixels at least.",
    advice="make it larger, in the template",
)
def _small_text(case: Case) -> Iterator[Hit]:
    seen: set[float] = set()
    for element in elements(case.body):
        if not own_text(element) or not is_seen(element):
            continue
        size = _font_size(element)
        if size is not None and size < MIN_FONT_SIZE and size not in seen:
            seen.add(size)
            text = own_text(element)[:40]
            yield Hit(f"“{text}” has {size:g} pixels", case.line_of_text(element))


def _font_size(element: HtmlElement) -> float | None:
    for one in (element, *element.iterancestors()):
        value = style_of(one).values.get("font-size")
        if value is not None:
            return pixels(value)
    return None
