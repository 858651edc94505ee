"""All rules: importing a group makes its rules known."""

import difflib
from collections.abc import Sequence

from newsletter_mail.checks import (  # noqa: F401 - a rule is known once it is imported
    accessibility,
    clients,
    compiling,
    content,
    contrast,
    deliverability,
    links,
    merge,
    online,
    pictures,
    security,
    size,
    third_party,
    translations,
)
from newsletter_mail.checks.registry import KNOWN, Rule, Scope
from newsletter_mail.errors import InputError

#: The groups in the order in which they are told of, and what each is about.
GROUPS = {
    "compile": "the issue as a whole",
    "content": "what is written",
    "links": "where links lead, and what they say",
    "pictures": "what pictures say and weigh",
    "accessibility": "those who hear a mail, or see it badly",
    "clients": "what mail programs can show",
    "size": "bytes",
    "deliverability": "between inbox and spam",
    "security": "what looks like an attack",
    "third-party": "who learns that the mail is read",
    "translations": "what one language lacks of another",
    "merge": "what each reader's message says",
}
#: Ids of old, which scripts may still say.
_FORMER = {
    "sender.postal-address": "deliverability.postal-address",
    "sender.from": "deliverability.example-sender",
    "web.base-url": "deliverability.base-url",
}


def all_rules() -> Sequence[Rule]:
    """Every rule, in the order of the groups and of their ids."""
    order = list(GROUPS)
    return sorted(KNOWN.values(), key=lambda rule: (order.index(rule.group), rule.id))


def rules_for(scope: Scope) -> Sequence[Rule]:
    """The rules that look at one kind of thing."""
    return [rule for rule in all_rules() if rule.scope is scope]


def find_rule(rule_id: str) -> Rule:
    """A rule by its id.

    Raises:
        InputError: there is none; with "did you mean".
    """
    found = KNOWN.get(_FORMER.get(rule_id, rule_id))
    if found is None:
        close = difflib.get_close_matches(rule_id, KNOWN, n=1)
        hint = f"did you mean {close[0]}?" if close else f"groups are {', '.join(GROUPS)}"
        raise InputError(f"there is no rule {rule_id}; {hint}")
    return found


def explain(rule_id: str) -> str:
    """What a rule asks for and what to do, some lines of text.

    Raises:
        InputError: there is no such rule.
    """
    rule = find_rule(rule_id)
    lines = [f"{rule.id} ({rule.level})", "", rule.says]
    if rule.advice:
        lines.append(f"{rule.advice[:1].upper()}{rule.advice[1:]}.")
    if rule.source:
        lines += ["", f"From: {rule.source}"]
    if rule.scope is Scope.ONLINE:
        lines += ["", "Only with --online."]
    if rule.group == "clients":
        lines += ["", clients.about_data()]
    return "\n".join(lines)
