"""How the numbers of a send are told: they always add up."""

from typing import Any

from newsletter_mail.delivery.dialogue import SendReport, Summary
from newsletter_mail.delivery.plan import Plan


def sum_line(plan: Plan) -> str:
    """``5,040 on the list = 5,000 to send + 30 unsubscribed + …``."""
    parts = [
        (plan.to_send, "to send"),
        (plan.unsubscribed, "unsubscribed"),
        (plan.suppressed, "suppressed"),
        (plan.unconfirmed, "not confirmed"),
        (plan.already, "that have it already"),
        (plan.later, "deferred till later"),
        (plan.uncertain, "uncertain"),
    ]
    shown = [f"{count:,} {word}" for count, word in parts if count or word == "to send"]
    return f"{plan.on_list:,} on the list = {' + '.join(shown)}"


def summary_lines(summary: Summary) -> list[str]:
    """What is shown before a send."""
    lines = [
        f"Issue      {summary.slug} (edition {summary.edition[:12]})",
        f"List       {_lists(summary)}: {sum_line(summary.plan)}",
        f"From       {summary.sender}",
        f"Transport  {summary.transport}",
        f"Tested     {'yes, this very build' if summary.is_tested else 'no'}",
    ]
    if summary.abandoned:
        lines.append(f"Uncertain  {summary.abandoned:,}: an earlier run died with them in hand")
    if summary.plan.waiting:
        lines.append(f"Goes on    {summary.plan.waiting:,} are waiting from an earlier run")
    if summary.number != summary.plan.to_send:
        lines.append(f"Limit      {summary.number:,} in this run")
    return lines


def _lists(summary: Summary) -> str:
    names = ", ".join(summary.lists)
    return f"{names} (as planned before; --list for another)" if summary.is_as_planned else names


def plan_document(summary: Summary) -> dict[str, Any]:
    """As ``send --dry-run --json`` prints it."""
    plan = summary.plan
    return {
        "issue": summary.slug,
        "edition": summary.edition,
        "lists": list(summary.lists),
        "on_list": plan.on_list,
        "to_send": summary.number,
        "new": plan.new,
        "waiting": plan.waiting,
        "later": plan.later,
        "already": plan.already,
        "uncertain": plan.uncertain,
        "unsubscribed": plan.unsubscribed,
        "suppressed": plan.suppressed,
        "unconfirmed": plan.unconfirmed,
        "sender": summary.sender,
        "transport": summary.transport,
        "tested": summary.is_tested,
    }


def report_document(report: SendReport) -> dict[str, Any]:
    """As ``send --json`` prints it: the status, and what this run did."""
    return {
        **report.status.document(),
        "done": report.tally.done,
        "stopped": report.stopped or None,
        "suppressed": report.suppressed,
    }
