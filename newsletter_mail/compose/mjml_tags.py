"""The part of MJML 4 that mjml-python renders as the reference does: tags, places, attributes.

Left out on purpose: what mjml-python 1.4 gets wrong (``mj-hero``, ``mj-include``, ``gap``), and
what loads from a third party (``mj-social``, ``mj-font``, ``mj-carousel``, ``mj-navbar``).
Source: the component reference at documentation.mjml.io.
"""

_PADDING = "padding padding-top padding-right padding-bottom padding-left"
_FONT = (
    "color font-family font-size font-style font-weight letter-spacing line-height "
    "text-decoration text-transform"
)
_INNER_BORDER = "inner-border inner-border-top inner-border-right inner-border-bottom "
_BORDER = "border border-top border-right border-bottom border-left border-radius"
_CELL = f"align container-background-color {_PADDING}"
_BAND = (
    f"background-color background-position background-position-x background-position-y "
    f"background-repeat background-size {_BORDER} direction full-width text-align {_PADDING}"
)

#: Tag → its attributes besides ``css-class`` and ``mj-class``.
ATTRIBUTES: dict[str, frozenset[str]] = {
    tag: frozenset(names.split())
    for tag, names in {
        "mjml": "lang dir owa",
        "mj-head": "",
        "mj-body": "background-color width",
        "mj-attributes": "",
        "mj-breakpoint": "width",
        "mj-preview": "",
        "mj-style": "",
        "mj-title": "",
        "mj-raw": "",
        "mj-wrapper": _BAND,
        "mj-section": _BAND,
        "mj-group": "background-color direction vertical-align width",
        "mj-column": (
            f"background-color direction vertical-align width {_PADDING} {_BORDER} {_INNER_BORDER} "
            "inner-border-left inner-border-radius inner-background-color"
        ),
        "mj-text": f"height {_CELL} {_FONT}",
        "mj-button": (
            f"background-color height href inner-padding name rel target text-align title "
            f"vertical-align width {_BORDER} {_CELL} {_FONT}"
        ),
        "mj-image": (
            f"alt fluid-on-mobile height href max-height name rel sizes src srcset target title "
            f"usemap width {_BORDER} {_CELL} font-size"
        ),
        "mj-divider": f"border-color border-style border-width width {_CELL}",
        "mj-spacer": f"height {_CELL}",
        "mj-table": f"border cellpadding cellspacing table-layout width {_CELL} {_FONT}",
    }.items()
}

#: Tag → where it may stand.
PARENTS: dict[str, frozenset[str]] = {
    tag: frozenset(names.split())
    for tag, names in {
        "mjml": "",
        "mj-head": "mjml",
        "mj-body": "mjml",
        "mj-attributes": "mj-head",
        "mj-breakpoint": "mj-head",
        "mj-preview": "mj-head",
        "mj-style": "mj-head",
        "mj-title": "mj-head",
        "mj-raw": "mj-head mj-body mj-wrapper mj-section mj-group mj-column",
        "mj-wrapper": "mj-body",
        "mj-section": "mj-body mj-wrapper",
        "mj-group": "mj-section",
        "mj-column": "mj-section mj-group",
        "mj-text": "mj-column",
        "mj-button": "mj-column",
        "mj-image": "mj-column",
        "mj-divider": "mj-column",
        "mj-spacer": "mj-column",
        "mj-table": "mj-column",
    }.items()
}

#: Tag → attributes without which the mail is broken or cannot be read by everybody.
REQUIRED: dict[str, frozenset[str]] = {
    "mjml": frozenset({"lang", "dir"}),
    "mj-image": frozenset({"src", "alt"}),
    "mj-button": frozenset({"href"}),
}

#: Tags whose content is HTML.
HTML_INSIDE = frozenset(
    {"mj-text", "mj-button", "mj-table", "mj-raw", "mj-title", "mj-preview", "mj-style"}
)

#: Attributes that are made of lengths, each with its unit.
LENGTHS = frozenset(
    {
        "border-radius",
        "border-width",
        "font-size",
        "height",
        "inner-border-radius",
        "inner-padding",
        "letter-spacing",
        "max-height",
        "width",
        *_PADDING.split(),
    }
)

#: Attributes that are one colour.
COLOURS = frozenset(
    {
        "background-color",
        "border-color",
        "color",
        "container-background-color",
        "inner-background-color",
    }
)

#: Attributes with a few values.
CHOICES: dict[str, frozenset[str]] = {
    "align": frozenset({"left", "center", "right", "justify"}),
    "dir": frozenset({"ltr", "rtl", "auto"}),
    "direction": frozenset({"ltr", "rtl"}),
    "full-width": frozenset({"full-width", "false"}),
    "text-align": frozenset({"left", "center", "right", "justify"}),
    "vertical-align": frozenset({"top", "middle", "bottom"}),
}

#: HTML that mail programs show and that runs, frames, asks for and loads nothing.
HTML_TAGS = frozenset(
    {
        *("a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "center", "cite", "code"),
        *("col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure"),
        *("font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark"),
        *("ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup"),
        *("table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "wbr"),
    }
)

#: Attributes in which a merge tag or an option may stand: all others are styles or measures.
MARK_ATTRIBUTES = frozenset({"alt", "aria-label", "href", "src", "title"})
