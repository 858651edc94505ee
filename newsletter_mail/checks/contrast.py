"""Rules on the contrast of text, on a light screen and on a dark one.

Colours are those of ``style`` and ``bgcolor``, and on a dark screen those of the rules in
``@media (prefers-color-scheme: dark)``. Where a colour is not known, nothing is said.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import cast

from cssselect import SelectorError, parse
from lxml.cssselect import CSSSelector
from lxml.html import HtmlElement

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.colours import Colour, background_colour, colour, contrast
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.html import elements, is_seen, own_text, pixels, style_of
from newsletter_mail.checks.registry import rule
from newsletter_mail.compose.contrast import MIN_CONTRAST

MIN_CONTRAST_LARGE = 3.0
#: Pixels from which text is large: 18 points, or 14 in bold.
_LARGE, _LARGE_BOLD = 24, 18.66
_WHITE, _BLACK = Colour(1, 1, 1), Colour(0, 0, 0)

#: The value of a property of an element, or None where its own style does not say.
Lookup = Callable[[HtmlElement, str], str | None]


@rule(
    "accessibility.contrast",
    Level.WARNING,
    says=f"Text has a contrast of {MIN_CONTRAST}:1, large text of {MIN_CONTRAST_LARGE:g}:1.",
    advice="change a colour of the theme, in theme.toml",
    source="EMC 2026, 7: Element has insufficient color contrast; WCAG 2.2, 1.4.3",
)
def _contrast(case: Case) -> Iterator[Hit]:
    yield from _too_low(case, lambda element, name: style_of(element).values.get(name))


@rule(
    "accessibility.theme-contrast",
    Level.WARNING,
    says="Every colour of the theme that letters have can be read on those under it.",
    advice="change one of the two in theme.toml",
    source="WCAG 2.2, 1.4.3",
)
def _theme_contrast(case: Case) -> Iterator[Hit]:
    for low in case.low_contrasts:
        yield Hit(f"the theme of template {case.build.template}: {low}")


@rule(
    "accessibility.contrast-dark",
    Level.WARNING,
    says="On a dark screen too text has enough contrast.",
    advice="change a colour of the theme, in [dark] of theme.toml",
    source="WCAG 2.2, 1.4.3",
)
def _contrast_dark(case: Case) -> Iterator[Hit]:
    overrides = _dark_values(case)
    if not overrides:
        return

    def look_up(element: HtmlElement, name: str) -> str | None:
        own = style_of(element).values.get(name)
        return overrides.get(element, {}).get(name, own)

    yield from _too_low(case, look_up)


def _too_low(case: Case, look_up: Lookup) -> Iterator[Hit]:
    seen: set[tuple[Colour, Colour]] = set()
    for element in elements(case.body):
        text = own_text(element)
        if not text or not is_seen(element):
            continue
        front, back = _front(element, look_up), _back(element, look_up)
        if front is None or back is None or (front, back) in seen:
            continue
        ratio = contrast(front, back)
        if ratio < (MIN_CONTRAST_LARGE if _is_large(element, look_up) else MIN_CONTRAST):
            seen.add((front, back))
            yield Hit(
                f"“{text[:40]}” is {front} on {back}, a contrast of {ratio:g}:1",
                case.line_of_text(element),
            )


def _around(element: HtmlElement) -> Iterator[HtmlElement]:
    yield element
    yield from element.iterancestors()


def _front(element: HtmlElement, look_up: Lookup) -> Colour | None:
    for one in _around(element):
        value = look_up(one, "color") or one.get("color")
        if value is not None and value != "inherit":
            return colour(value)
        if one.tag == "a" and one.get("href"):
            # A link without a colour has the reader's own.
            return None
    return _BLACK


def _back(element: HtmlElement, look_up: Lookup) -> Colour | None:
    for one in _around(element):
        if look_up(one, "background-image") not in {None, "none"} or one.get("background"):
            return None
        value = look_up(one, "background-color") or one.get("bgcolor")
        if value not in {None, "transparent", "inherit"}:
            return colour(value)
        short = look_up(one, "background")
        if short is not None and short not in {"none", "transparent"}:
            return background_colour(short)
    return _WHITE


def _is_large(element: HtmlElement, look_up: Lookup) -> bool:
    size, weight = None, None
    for one in _around(element):
        size = size or look_up(one, "font-size")
        weight = weight or look_up(one, "font-weight") or _WEIGHTS.get(str(one.tag))
    number = pixels(size) or 16
    is_bold = weight in {"bold", "bolder", "600", "700", "800", "900"}
    return number >= (_LARGE_BOLD if is_bold else _LARGE)


_WEIGHTS = dict.fromkeys(("b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"), "bold")


def _dark_values(case: Case) -> Mapping[HtmlElement, Mapping[str, str]]:
    """For each element what the rules for dark screens say, the strongest last."""
    matched: list[tuple[tuple[int, int, int], int, HtmlElement, dict[str, str]]] = []
    for sheet in case.stylesheets:
        for one in sheet.rules:
            if not any("prefers-color-scheme: dark" in c.lower() for c in one.conditions):
                continue
            values = {d.name: d.value for d in one.declarations}
            for part in one.selector.split(","):
                for specificity, element in _matches(part.strip(), case.tree):
                    matched.append((specificity, len(matched), element, values))
    found: dict[HtmlElement, dict[str, str]] = {}
    for _, _, element, values in sorted(matched, key=lambda match: match[:2]):
        found.setdefault(element, {}).update(values)
    return found


def _matches(
    selector: str, tree: HtmlElement
) -> Iterator[tuple[tuple[int, int, int], HtmlElement]]:
    try:
        (parsed,) = parse(selector)
        matches = CSSSelector(selector, translator="html")(tree)
    except (SelectorError, ValueError):
        return
    for element in cast("list[HtmlElement]", matches):
        yield parsed.specificity(), element
