"""Checks MJML before mjml-python sees it. Pure.

mjml-python renders an unknown tag as it stands, drops unknown attributes, counts widths wrongly
with ``padding="0 20px"`` and writes attribute values with Rust's escapes, all without a word;
malformed conditional comments make it panic and deep nesting ends the process. So what reaches it
has passed here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from newsletter_mail.compose.findings import did_you_mean
from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.mjml_tags import (
    ATTRIBUTES,
    CHOICES,
    COLOURS,
    HTML_INSIDE,
    HTML_TAGS,
    LENGTHS,
    MARK_ATTRIBUTES,
    PARENTS,
    REQUIRED,
)

_MAX_DEPTH = 60
_LENGTH = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:px|%|em)")
_COLOUR = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})|transparent|none")
_UNSAFE_LETTER = re.compile(r"[\\\"\t\n\r]")
_SCRIPT_ADDRESS = re.compile(r"\s*(?:javascript|vbscript|data)\s*:", re.IGNORECASE)
# What CSS loads or runs something with; MJML writes attributes into styles as they stand.
_LOADING_STYLE = re.compile(r"url\(|src\(|image-set|expression", re.IGNORECASE)
_ADDRESS_ATTRIBUTES = frozenset(
    {"href", "src", "background", "background-url", "srcset", "action", "ping", "lowsrc", "dynsrc"}
)
_ENTITY = "undefined entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class MjmlFinding:
    """One thing that is wrong, and its 1-based line in the text that was checked."""

    message: str
    line: int


def lint_mjml(
    mjml: str, marks: Marks, *, parent: str = "", is_authors: bool = False
) -> tuple[MjmlFinding, ...]:
    """Everything that is wrong with MJML.

    Args:
        mjml: a document, or a fragment of one.
        marks: a picture may only be loaded from a mark; anything else would be fetched from a
            third party.
        parent: the tag that the fragment will stand in; "" for a document.
        is_authors: it stands in an issue, not in a template: no conditional comments, whose
            content cannot be checked.
    """
    linter = _Linter(parent=parent, marks=marks, is_authors=is_authors)
    linter.run(mjml)
    return tuple(linter.found)


@dataclass(slots=True, kw_only=True)
class _Linter:
    parent: str
    marks: Marks
    is_authors: bool
    found: list[MjmlFinding] = field(default_factory=list)
    _stack: list[str] = field(default_factory=list)
    _open_conditions: int = 0
    _parser: expat.XMLParserType = field(init=False)

    def run(self, mjml: str) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CommentHandler = self._comment
        self._parser.StartDoctypeDeclHandler = self._forbid("a doctype")
        self._parser.StartCdataSectionHandler = self._forbid("CDATA")
        self._parser.ProcessingInstructionHandler = self._forbid("a processing instruction")
        try:
            self._parser.Parse(f"<fragment>{mjml}</fragment>", True)
        except _Stopped:
            return
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            if reason == _ENTITY:
                reason = "only numbered entities are known: write &#160; for &nbsp;"
            self.found.append(
                MjmlFinding(message=f"not well-formed MJML: {reason}", line=error.lineno)
            )
        if self._open_conditions:
            self._say("a conditional comment is not closed")

    def _say(self, message: str) -> None:
        self.found.append(MjmlFinding(message=message, line=self._parser.CurrentLineNumber))

    def _stop(self, message: str) -> None:
        self._say(message)
        raise _Stopped

    def _forbid(self, what: str) -> Callable[..., None]:
        return lambda *_: self._stop(f"{what} has no place in MJML")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._stack.append(tag)
        if len(self._stack) == 1:
            return
        if len(self._stack) > _MAX_DEPTH:
            self._stop("nested too deeply")
        parent = self._stack[-2] if len(self._stack) > 2 else self.parent
        is_html = any(name in HTML_INSIDE for name in (*self._stack[:-1], self.parent))
        if is_html:
            self._check_html(tag, attributes)
        elif parent == "mj-attributes":
            self._check_defaults(tag, attributes)
        else:
            self._check_tag(tag, parent, attributes)
        if self.marks.pattern.search(" ".join((tag, *attributes))):
            self._say("a merge tag or an option cannot be a part of a tag")
        for name, value in attributes.items():
            if name.lower() not in MARK_ATTRIBUTES and self.marks.pattern.search(value):
                self._say(
                    f"{name} of <{tag}> cannot have a merge tag or an option in it; only text "
                    f"and {', '.join(sorted(MARK_ATTRIBUTES))} can"
                )
            if _UNSAFE_LETTER.search(value):
                self._say(
                    f"{name} of <{tag}> has a line end, a tab, a backslash or a double quote in "
                    'it; mjml-python would write it as \\n, \\t, \\\\ or \\"'
                )

    def _end(self, tag: str) -> None:
        self._stack.pop()

    def _check_tag(self, tag: str, parent: str, attributes: dict[str, str]) -> None:
        known = ATTRIBUTES.get(tag)
        if known is None:
            self._say(f"<{tag}> is not an MJML tag; {did_you_mean(tag, ATTRIBUTES)}")
            return
        if parent not in PARENTS[tag] and (parent or tag != "mjml"):
            places = " or ".join(sorted(PARENTS[tag])) or "nothing"
            self._say(f"<{tag}> stands in {parent or 'nothing'}; it must stand in {places}")
        for name in sorted(REQUIRED.get(tag, frozenset()).difference(attributes)):
            self._say(f"<{tag}> has no {name}")
        self._check_attributes(tag, known | {"css-class", "mj-class"}, attributes)

    def _check_defaults(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("mj-all", "mj-class"):
            known = frozenset[str]().union(*ATTRIBUTES.values(), {"name", "css-class"})
        elif tag in ATTRIBUTES:
            known = ATTRIBUTES[tag] | {"css-class"}
        else:
            names = (*ATTRIBUTES, "mj-all", "mj-class")
            self._say(f"<{tag}> is not an MJML tag; {did_you_mean(tag, names)}")
            return
        self._check_attributes(tag, known, attributes)

    def _check_attributes(
        self, tag: str, known: frozenset[str], attributes: dict[str, str]
    ) -> None:
        for name, value in attributes.items():
            if name not in known:
                self._say(f"<{tag}> has no attribute {name}; {did_you_mean(name, known)}")
            elif problem := _problem_with(name, value):
                self._say(f"{name}={value!r} of <{tag}>: {problem}")
            if name == "mj-class" and " " in value.strip():
                self._say("give one mj-class: of several, mjml-python takes the first")
        self._check_addresses(tag, attributes)

    def _check_html(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.lower()
        if name.startswith("mj-"):
            self._say(f"<{tag}> cannot stand in <{self._stack[-2]}>, which has HTML in it")
        elif name not in HTML_TAGS and not self._is_head_meta(name, attributes):
            self._say(f"<{tag}> has no place in a mail")
        if name == "img" and "alt" not in attributes:
            self._say("<img> has no alt")
        for attribute in attributes:
            if attribute.lower().startswith("on"):
                self._say(f"{attribute} of <{tag}> would run a script")
        self._check_addresses(tag, attributes)

    def _is_head_meta(self, name: str, attributes: dict[str, str]) -> bool:
        """``<meta name=…>``, such as color-scheme; http-equiv could send readers elsewhere."""
        is_named = "name" in attributes and "http-equiv" not in attributes
        return name == "meta" and is_named and "mj-head" in self._stack

    def _check_addresses(self, tag: str, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            lowered = name.lower()
            if lowered not in MARK_ATTRIBUTES and _LOADING_STYLE.search(value):
                self._say(f"{name} of <{tag}> would load something")
            if lowered not in _ADDRESS_ATTRIBUTES and not lowered.endswith(":href"):
                continue
            if lowered == "href":
                if _SCRIPT_ADDRESS.match(value):
                    self._say(f"{name} of <{tag}> would run a script")
            elif not self._is_picture(value):
                self._say(
                    f"{name} of <{tag}> would load {value[:60]} from elsewhere; use a picture "
                    "in the folder of the issue"
                )

    def _is_picture(self, address: str) -> bool:
        mark = self.marks.pattern.fullmatch(address)
        return mark is not None and mark[1] == "p"

    def _comment(self, text: str) -> None:
        stripped = text.strip()
        if "[if" not in stripped and "[endif]" not in stripped:
            return
        if self.is_authors:
            self._stop("a conditional comment belongs into a template")
        is_whole = re.fullmatch(r"\[if [^\]]+\]>.*<!\[endif\]", stripped, re.DOTALL)
        if is_whole and stripped.count("[if") == stripped.count("[endif]") == 1:
            return
        if re.fullmatch(r"\[if !mso[^\]]*\]><!", stripped):
            self._open_conditions += 1
        elif stripped == "<![endif]" and self._open_conditions:
            self._open_conditions -= 1
        else:
            self._stop("a conditional comment must be whole: <!--[if mso]> … <![endif]-->")


class _Stopped(Exception):
    """Nothing after this can be checked."""


def _problem_with(name: str, value: str) -> str:
    if name in LENGTHS:
        for part in value.split():
            if not _LENGTH.fullmatch(part):
                return "every length has a unit, such as 0px"
        if not value.split():
            return "it is empty"
    if name in COLOURS and not _COLOUR.fullmatch(value):
        return "a colour is written #rrggbb"
    if name in CHOICES and value not in CHOICES[name]:
        return did_you_mean(value, CHOICES[name])
    return ""
