"""Rules on what mail programs can show, by the data of caniemail.

A finding is made once for each feature, where a program of ``caniemail.MAJOR`` lacks it and the
mail needs it: not where it stands in a condition (``@media``, ``@supports``), not where an earlier
declaration of the same property says what to do without it, and not where the mail only looks
plainer without it (``_PLAINER``).
"""

from collections.abc import Iterator, Sequence

from lxml.html import HtmlElement

from newsletter_mail.checks.caniemail import MAJOR, load_support
from newsletter_mail.checks.case import Case
from newsletter_mail.checks.css import Declaration, declarations_of, functions_in, units_in
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.html import elements
from newsletter_mail.checks.registry import rule

# Without these a mail can be read and used as well; it only looks plainer.
_PLAINER = frozenset(
    {
        "accent-color", "animation", "backdrop-filter", "background-blend-mode", "background-clip",
        "background-origin", "background-position", "background-repeat", "background-size",
        "border-image", "border-radius", "border-spacing", "box-shadow", "box-sizing",
        "caption-side", "color-scheme", "cursor", "empty-cells", "filter", "font-kerning",
        "font-stretch", "height", "hyphenate-character", "hyphenate-limit-chars", "hyphens",
        "letter-spacing", "list-style-image", "list-style-position", "max-height", "min-height",
        "min-width", "mix-blend-mode", "opacity", "orphans", "outline", "outline-offset",
        "overflow", "overflow-wrap", "resize", "scroll-snap", "tab-size", "table-layout",
        "text-align-last", "text-decoration-color", "text-decoration-line",
        "text-decoration-skip-ink", "text-decoration-style", "text-decoration-thickness",
        "text-emphasis", "text-emphasis-position", "text-justify", "text-overflow", "text-shadow",
        "text-underline-offset", "text-underline-position", "text-wrap", "transition",
        "user-select", "white-space", "white-space-collapse", "widows", "word-break",
        "word-spacing", "word-wrap", "abbr", "acronym", "article", "aside", "bdi", "body",
        "figcaption", "figure", "footer", "header", "main", "map", "area", "mark", "nav", "rp",
        "rt", "ruby", "section", "style", "time", "wbr", "aria-describedby", "aria-hidden",
        "aria-label", "aria-labelledby", "aria-live", "loading", "role", "sizes", "srcset",
        "target",
    }
)  # fmt: skip
#: Conditions, and fonts that have another one after them: made to be passed over.
_AT_RULES_PASSED_OVER = ("@media", "@supports", "@font-face", "@keyframes")
_ADVICE = "do without it, or say first what is to be done without it"


@rule(
    "clients.css",
    Level.WARNING,
    says="CSS that the mail needs is known to the major mail programs.",
    advice=_ADVICE,
    source="caniemail.com",
)
def _css(case: Case) -> Iterator[Hit]:
    seen: set[str] = set()
    for block in _blocks(case):
        for position, declaration in enumerate(block):
            if any(earlier.name == declaration.name for earlier in block[:position]):
                continue
            for kind, name in _features_of(declaration, block):
                yield from _lacking(case, kind, name, seen, needle=declaration.name)


@rule(
    "clients.at-rule",
    Level.WARNING,
    says="At-rules that the mail needs are known to the major mail programs.",
    advice=_ADVICE,
    source="caniemail.com",
)
def _at_rule(case: Case) -> Iterator[Hit]:
    seen: set[str] = set()
    for sheet in case.stylesheets:
        for at_rule in sheet.at_rules:
            if not at_rule.startswith(_AT_RULES_PASSED_OVER):
                name = at_rule.partition(" ")[0]
                yield from _lacking(case, "at-rule", name, seen, needle=name)


@rule(
    "clients.element",
    Level.WARNING,
    says="Elements are known to the major mail programs.",
    advice="use another one",
    source="caniemail.com",
)
def _element(case: Case) -> Iterator[Hit]:
    seen: set[str] = set()
    for element in elements(case.tree):
        tag = str(element.tag)
        yield from _lacking(case, "element", tag, seen, needle=f"<{tag}")


@rule(
    "clients.attribute",
    Level.WARNING,
    says="Attributes are known to the major mail programs.",
    advice="do without it",
    source="caniemail.com",
)
def _attribute(case: Case) -> Iterator[Hit]:
    seen: set[str] = set()
    for element in elements(case.tree):
        for name in _attributes(element):
            yield from _lacking(case, "attribute", name, seen, needle=f"{name}=")


def _attributes(element: HtmlElement) -> Sequence[str]:
    return [str(name) for name in element.attrib]


def _blocks(case: Case) -> Iterator[Sequence[Declaration]]:
    """The declarations of each ``style``, and of each rule without a condition."""
    for element in elements(case.tree):
        if text := element.get("style"):
            yield declarations_of(text)
    for sheet in case.stylesheets:
        for one in sheet.rules:
            if not one.conditions:
                yield one.declarations


def _features_of(
    declaration: Declaration, block: Sequence[Declaration]
) -> Iterator[tuple[str, str]]:
    names = {one.name for one in block}
    # Under a picture lies a colour, for those who do not see the picture.
    is_backed = declaration.name == "background-image" and "background-color" in names
    if not is_backed:
        yield "property", declaration.name
    yield "value", f"{declaration.name}:{declaration.value}"
    has_colour = declaration.name in {"background", "background-image"} and (
        "background-color" in names
    )
    for function in functions_in(declaration.value):
        if not (has_colour and "gradient" in function):
            yield "function", function
    for unit in units_in(declaration.value):
        yield "unit", unit


def _lacking(case: Case, kind: str, name: str, seen: set[str], *, needle: str) -> Iterator[Hit]:
    support = load_support()
    feature = support.features.get((kind, name))
    if feature is None or name in _PLAINER or feature.slug in seen or name == "display:none":
        return
    seen.add(feature.slug)
    major = sorted(feature.lacking & MAJOR)
    if major:
        more = len(feature.lacking) - len(major)
        others = f" and {more} more" if more else ""
        yield Hit(
            f"{feature.title} is not known to {', '.join(major)}{others} "
            f"(caniemail, data of {support.updated})",
            case.source.line_with(needle),
        )


def about_data() -> str:
    """The date of the data, and the programs that it speaks of; those that count stand first."""
    support = load_support()
    others = [client for client in support.clients if client not in MAJOR]
    return (
        f"By the data of caniemail.com of {support.updated} (MIT licence). A finding is made where "
        f"one of these lacks something: {', '.join(sorted(MAJOR))}. Counted too: "
        f"{', '.join(others)}."
    )
