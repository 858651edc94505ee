"""CSS as lists of declarations and rules, by tinycss2. Pure; what cannot be read is left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import tinycss2


class Declaration(NamedTuple):
    """``name: value``; both in lower case, without ``!important``."""

    name: str
    value: str
    is_important: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CssRule:
    """One rule of a stylesheet.

    Attributes:
        selector: as it is written.
        conditions: the at-rules around it, such as ``@media (prefers-color-scheme: dark)``.
    """

    selector: str
    declarations: Sequence[Declaration]
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stylesheet:
    """The rules of a stylesheet, and its at-rules as ``@name prelude``."""

    rules: tuple[CssRule, ...]
    at_rules: tuple[str, ...]


@lru_cache(maxsize=4096)
def declarations_of(text: str) -> tuple[Declaration, ...]:
    """The declarations of a ``style`` attribute, in their order."""
    return tuple(_declarations(tinycss2.parse_blocks_contents(text, skip_whitespace=True)))


def parse_stylesheet(text: str) -> Stylesheet:
    """A stylesheet, its conditional groups opened."""
    at_rules: list[str] = []
    nodes = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    rules = tuple(_rules(nodes, (), at_rules))
    return Stylesheet(rules=rules, at_rules=tuple(at_rules))


def addresses_in(text: str) -> list[str]:
    """What ``url(…)`` and ``@import "…"`` name, in a stylesheet or a ``style`` attribute."""
    return list(_addresses(tinycss2.parse_component_value_list(text, skip_comments=True)))


def functions_in(value: str) -> set[str]:
    """The names of the functions in a value."""
    return {node.lower_name for node in _flat(_values(value)) if node.type == "function"}


def units_in(value: str) -> set[str]:
    """The units of the lengths in a value."""
    return {node.lower_unit for node in _flat(_values(value)) if node.type == "dimension"}


def _values(text: str) -> list[Any]:
    return list(tinycss2.parse_component_value_list(text))


def _flat(nodes: Sequence[Any]) -> Iterator[Any]:
    for node in nodes:
        yield node
        inner = getattr(node, "arguments", None) or getattr(node, "content", None)
        if isinstance(inner, list):
            yield from _flat(inner)


def _addresses(nodes: Sequence[Any]) -> Iterator[str]:
    is_import = False
    for node in nodes:
        match node.type:
            case "url":
                yield node.value
            case "function" if node.lower_name == "url":
                yield from (inner.value for inner in node.arguments if inner.type == "string")
            case "function":
                yield from _addresses(node.arguments)
            case "string" if is_import:
                yield node.value
            case "{} block" | "() block":
                yield from _addresses(node.content)
        if node.type != "whitespace":
            is_import = node.type == "at-keyword" and node.lower_value == "import"


def _rules(
    nodes: Sequence[Any], conditions: tuple[str, ...], at_rules: list[str]
) -> Iterator[CssRule]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield CssRule(
                selector=tinycss2.serialize(node.prelude).strip(),
                declarations=tuple(_declarations(tinycss2.parse_blocks_contents(node.content))),
                conditions=conditions,
            )
        elif node.type == "at-rule":
            name = f"@{node.lower_at_keyword} {tinycss2.serialize(node.prelude).strip()}".strip()
            at_rules.append(name)
            if node.content is not None and node.lower_at_keyword in {"media", "supports"}:
                inner = tinycss2.parse_rule_list(
                    node.content, skip_comments=True, skip_whitespace=True
                )
                yield from _rules(inner, (*conditions, name), at_rules)


def _declarations(nodes: Sequence[Any]) -> Iterator[Declaration]:
    for node in nodes:
        if node.type == "declaration":
            value = tinycss2.serialize(node.value).strip()
            is_address = "url(" in value.lower()
            yield Declaration(
                node.lower_name, value if is_address else value.lower(), bool(node.important)
            )
