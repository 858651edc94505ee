"""Asks before what cannot be taken back."""

import sys

import typer

from newsletter_mail.cli.output import note
from newsletter_mail.errors import InputError, SendRefused


def ask_for_number(number: int, *, yes: bool, expect: int | None) -> None:
    """Return only where somebody has agreed to exactly so many messages.

    Args:
        yes: do not ask.
        expect: the number that somebody has agreed to before.

    Raises:
        SendRefused: another number was expected or typed, or nobody is there to type one.
    """
    if expect is not None and expect != number:
        raise SendRefused(
            f"there are {number:,} messages to send, and not {expect:,}: nothing was sent"
        )
    if yes or expect is not None or number == 0:
        return
    typer.echo(f"Type {number} to send {number:,} messages: ", nl=False, err=True)
    typed = sys.stdin.readline()
    if not typed:
        note()
        raise SendRefused("nobody is there to agree: say --yes or --expect N; nothing was sent")
    if typed.strip().replace(",", "") != str(number):
        raise SendRefused(f"{typed.strip()!r} is not {number}: nothing was sent")


def confirm(question: str, *, is_sure: bool) -> None:
    """Ask before something that cannot be undone.

    Raises:
        InputError: the answer is no, or nobody is there to ask.
    """
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask: add --yes to go on without asking")
    if not typer.confirm(question, err=True):
        raise InputError("nothing was changed")
