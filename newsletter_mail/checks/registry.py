"""How a rule comes to be known: a decorator on a small function. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from newsletter_mail.checks.findings import Finding, Hit, Level


class Scope(StrEnum):
    """What a rule looks at."""

    #: The files of an issue: the rule is a part of composing, which refuses the issue.
    COMPILING = "compiling"
    #: ``newsletter.toml``.
    SETTINGS = "settings"
    #: One language of an issue, compiled: a ``Case``.
    BUILD = "build"
    #: What the languages of an issue lack of one another.
    TRANSLATIONS = "translations"
    #: Everybody who would get the issue: ``People``.
    PEOPLE = "people"
    #: The answers of the servers that the issue links to; only with ``--online``.
    ONLINE = "online"


Checked = TypeVar("Checked")
Look = Callable[[Any], Iterable[Hit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        id: ``group.name``; stable, since people write it in scripts.
        says: what it asks for, a sentence.
        advice: what to do where it is broken: a clause in the imperative, in lower case.
        source: the standard that it comes from, or "".
        look: yields what is wrong; for ``Scope.COMPILING`` nothing does.
    """

    id: str
    level: Level
    scope: Scope
    says: str
    advice: str
    source: str
    look: Look

    @property
    def group(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]

    def findings(self, looked_at: object, file: str) -> Iterator[Finding]:
        """What the rule finds, in a file where it says no other."""
        for hit in self.look(looked_at):
            yield self.finding(hit, file)

    def finding(self, hit: Hit, file: str) -> Finding:
        """A hit as a finding of this rule."""
        advice = self.advice if hit.advice is None else hit.advice
        return Finding(
            rule=self.id,
            level=hit.level or self.level,
            message=f"{hit.what}: {advice}" if advice else hit.what,
            file=file if hit.file is None else hit.file,
            line=hit.line,
        )


#: Every rule by its id, once ``catalogue`` has imported the groups.
KNOWN: dict[str, Rule] = {}


def rule(
    rule_id: str,
    level: Level,
    *,
    says: str,
    advice: str,
    scope: Scope = Scope.BUILD,
    source: str = "",
) -> Callable[[Callable[[Checked], Iterable[Hit]]], Callable[[Checked], Iterable[Hit]]]:
    """Make a function a rule; the attributes of ``Rule`` say what is asked."""

    def register(
        look: Callable[[Checked], Iterable[Hit]],
    ) -> Callable[[Checked], Iterable[Hit]]:
        if rule_id in KNOWN:
            raise ValueError(f"there are two rules {rule_id}")
        KNOWN[rule_id] = Rule(
            id=rule_id,
            level=level,
            scope=scope,
            says=says,
            advice=advice,
            source=source,
            look=look,
        )
        return look

    return register
