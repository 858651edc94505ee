"""Merge tags: ``{{ subscriber.first_name | default("friend") }}``. Pure: no I/O, no clock.

Jinja2 reads an expression; this module checks that it is made of the few things that a merge
tag may have, and turns it into a function. Nothing is called and no attribute of a Python object
is ever reached: a name is looked up in plain mappings, so there is no way out of the sandbox.

One evaluation costs about 0.3 µs.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes

from newsletter_mail.errors import MergeTagError, MergeValueMissing, MessageError

#: What merge tags know. A mapping is read key by key, ``attributes`` has free keys.
Scope = Mapping[str, object]

_Evaluate = Callable[[Scope], object]

#: Every name that a merge tag may use, besides ``subscriber.attributes.NAME``.
KNOWN_NAMES = (
    "subscriber.email",
    "subscriber.first_name",
    "subscriber.last_name",
    "subscriber.name",
    "subscriber.language",
    "issue.slug",
    "issue.title",
    "issue.language",
    "unsubscribe_url",
    "preferences_url",
    "web_url",
)

#: Of an expression, spaces around it included: longer than any that people write, and short enough
#: that what is made of it never nests beyond Python's stack.
MAX_LENGTH = 300

# One that is not closed runs to the end, so that a text is read once, whatever is in it.
_TAG = re.compile(r"\{\{(.*?)(\}\}|\Z)", re.DOTALL)
_STRAY = re.compile(r"\}\}|\{%|%\}|\{#|#\}")
_ENVIRONMENT = jinja2.Environment(autoescape=True)


class _Missing:
    """A value that is not there; only ``default`` accepts it."""


_MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class MergeTag:
    """A merge tag that has been found good.

    Attributes:
        expression: what stands between the braces, spaces around it taken off.
        names: the dotted names that it reads.
    """

    expression: str
    names: frozenset[str]
    _evaluate: _Evaluate = field(repr=False, compare=False)

    def value(self, scope: Scope) -> str:
        """The text for one recipient, not escaped.

        Raises:
            MergeValueMissing: it comes out empty, and the tag gives no default.
            MessageError: lists within lists, too many to be written out.
        """
        try:
            value = self._evaluate(scope)
            if _is_missing(value):
                raise MergeValueMissing(self.expression)
            return value if isinstance(value, str) else _as_text(value)
        except RecursionError as error:
            raise MessageError(
                f"{{{{ {self.expression} }}}} is a list nested too deeply to be written out"
            ) from error


@lru_cache(maxsize=1024)
def parse_merge_tag(expression: str) -> MergeTag:
    """Check one merge tag and make it ready to be filled in.

    Args:
        expression: without the braces.

    Raises:
        MergeTagError: it is not an expression, or has something in it that a merge tag may not
            have; the message says which.
    """
    if "\n" in expression:
        raise MergeTagError("a merge tag must stand on one line")
    if len(expression) > MAX_LENGTH:
        raise MergeTagError(f"a merge tag has {MAX_LENGTH} letters at most")
    expression = expression.strip()
    shown = f"{{{{ {expression} }}}}"
    try:
        template = _ENVIRONMENT.parse("{{ " + expression + " }}")
    except jinja2.TemplateSyntaxError as error:
        raise MergeTagError(f"{shown} is not a merge tag: {error.message}") from error
    except RecursionError as error:
        raise MergeTagError(f"{shown} is not a merge tag: it is nested too deeply") from error
    output = template.body[0] if len(template.body) == 1 else None
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        raise MergeTagError(f"{shown} is not a merge tag")
    names: set[str] = set()
    evaluate = _compile(output.nodes[0], names, shown)
    if not names:
        raise MergeTagError(
            f"{shown} says the same to everybody; a merge tag names something of the subscriber, "
            "such as {{ subscriber.first_name }}"
        )
    return MergeTag(expression, frozenset(names), evaluate)


def split_merge_tags(text: str) -> list[str | MergeTag]:
    """Take a text apart into what is literal and its merge tags, in order.

    Raises:
        MergeTagError: a bad tag, a brace that is not closed, or a statement (``{% … %}``);
            ``line`` is its line in ``text``.
    """
    parts: list[str | MergeTag] = []
    position = 0
    for match in _TAG.finditer(text):
        _refuse_strays(text, position, match.start())
        if not match[2]:
            raise MergeTagError("{{ without its }}", line=_line_at(text, match.start()))
        parts.append(text[position : match.start()])
        try:
            parts.append(parse_merge_tag(match[1]))
        except MergeTagError as error:
            raise MergeTagError(error.message, line=_line_at(text, match.start())) from error
        position = match.end()
    _refuse_strays(text, position, len(text))
    parts.append(text[position:])
    return [part for part in parts if part != ""]


def _refuse_strays(text: str, start: int, end: int) -> None:
    stray = _STRAY.search(text, start, end)
    if stray is None:
        return
    line = _line_at(text, stray.start())
    if stray[0] != "}}":
        raise MergeTagError(
            f"{stray[0]} is not allowed here: an issue has merge tags such as "
            "{{ subscriber.first_name }}, and no statements",
            line=line,
        )
    raise MergeTagError("}} without its {{", line=line)


def _line_at(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple):
        return ", ".join(_as_text(item) for item in value)
    return str(value)


def _is_missing(value: object) -> bool:
    return value is _MISSING or value is None or value == ""


def _compile(node: nodes.Node, names: set[str], shown: str) -> _Evaluate:
    """A function of the scope for one node of the expression."""
    match node:
        case nodes.Const(value=value):
            _refuse_unwritable(value, shown)
            return lambda scope: value
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            return _compile_name(node, names, shown)
        case nodes.Filter(node=nodes.Expr() as inner, name=str() as name):
            return _compile_filter(node, _compile(inner, names, shown), name, names, shown)
        case nodes.Or(left=left, right=right):
            first, second = _compile(left, names, shown), _compile(right, names, shown)
            return lambda scope: second(scope) if _is_missing(v := first(scope)) else v
        case nodes.CondExpr(test=test, expr1=yes, expr2=nodes.Expr() as no):
            is_yes = _compile(test, names, shown)
            if_yes, if_no = _compile(yes, names, shown), _compile(no, names, shown)
            return lambda scope: (
                if_no(scope) if _is_missing(v := is_yes(scope)) or v is False else if_yes(scope)
            )
        case nodes.Compare(expr=left, ops=[nodes.Operand(op="eq" | "ne" as op, expr=right)]):
            first, second = _compile(left, names, shown), _compile(right, names, shown)
            is_equal = op == "eq"
            return lambda scope: (first(scope) == second(scope)) is is_equal
    raise MergeTagError(
        f"{shown} is not a merge tag: it may have names, texts, filters, 'or' and 'if … else', "
        "nothing else"
    )


def _refuse_unwritable(value: object, shown: str) -> None:
    # "\ud800" in a text of Jinja2 is half a character, which no mail can have.
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise MergeTagError(f"{shown} is not a merge tag: there is half a character in it")


def _compile_name(node: nodes.Node, names: set[str], shown: str) -> _Evaluate:
    path: list[str] = []
    while not isinstance(node, nodes.Name):
        match node:
            case (
                nodes.Getattr(node=inner, attr=key)
                | nodes.Getitem(node=inner, arg=nodes.Const(value=str() as key))
            ):
                path.append(key)
                node = inner
            case _:
                raise MergeTagError(
                    f"{shown} is not a merge tag: write names such as subscriber.name"
                )
    path.append(node.name)
    keys = tuple(reversed(path))
    _refuse_unknown(keys, shown)
    names.add(".".join(keys))

    def look_up(scope: Scope) -> object:
        # A text cannot be read by a text either, so whatever is no mapping ends here too.
        value: Any = scope
        try:
            for key in keys:
                value = value[key]
        except (KeyError, TypeError):
            return _MISSING
        return value

    return look_up


def _refuse_unknown(keys: tuple[str, ...], shown: str) -> None:
    name = ".".join(keys)
    is_attribute = keys[:2] == ("subscriber", "attributes") and len(keys) == 3
    if is_attribute or name in KNOWN_NAMES:
        return
    close = difflib.get_close_matches(name, KNOWN_NAMES, n=1)
    known = ", ".join((*KNOWN_NAMES, "subscriber.attributes.NAME"))
    hint = f"did you mean {close[0]}?" if close else f"known are {known}"
    raise MergeTagError(f"{shown}: there is no {name}; {hint}")


def _title(value: str) -> str:
    return value[:1].upper() + value[1:]


_TEXT_FILTERS: Mapping[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "capitalize": _title,
    "trim": str.strip,
}


def _compile_filter(
    node: nodes.Filter, inner: _Evaluate, name: str, names: set[str], shown: str
) -> _Evaluate:
    # Jinja2's own default takes a second argument, true; here it is always so.
    rest = node.args[1:]
    is_default = name == "default" and len(node.args) in (1, 2) and not node.kwargs
    if is_default and all(isinstance(argument, nodes.Const) for argument in rest):
        fallback = _compile(node.args[0], names, shown)
        return lambda scope: fallback(scope) if _is_missing(v := inner(scope)) else v
    if name in _TEXT_FILTERS and not node.args and not node.kwargs:
        change = _TEXT_FILTERS[name]
        return lambda scope: v if _is_missing(v := inner(scope)) else change(_as_text(v))
    known = ["default", *_TEXT_FILTERS]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    raise MergeTagError(f"{shown}: there is no filter {name} of that form; {hint}")
