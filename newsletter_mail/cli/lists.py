"""``newsletter lists``: the lists that people join and leave."""

from typing import Annotated

import typer

from newsletter_mail.audience.lists import (
    MailingList,
    create_list,
    delete_list,
    rename_list,
    show_lists,
)
from newsletter_mail.cli.asking import confirm
from newsletter_mail.cli.console import say_table
from newsletter_mail.cli.options import Json, Yes
from newsletter_mail.cli.output import note, say_json
from newsletter_mail.cli.session import now, session_of
from newsletter_mail.words import SubscriptionState

lists_app = typer.Typer(
    name="lists",
    help="The lists that people join and leave; there is always one called main.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The list, such as board-members.")]


@lists_app.command("create")
def create(
    context: typer.Context,
    slug: Slug,
    name: Annotated[str, typer.Option(help="What people read; else the slug.")] = "",
) -> None:
    """Make a list that nobody is on."""
    create_list(session_of(context).database, slug, name=name, now=now())
    note(f"the list {slug} is there")


@lists_app.command("show")
def show(
    context: typer.Context,
    slug: Annotated[str | None, typer.Argument(metavar="SLUG", help="Only this list.")] = None,
    as_json: Json = False,
) -> None:
    """Show lists, and how many people are on them."""
    found = show_lists(session_of(context).database, slug)
    if as_json:
        say_json([_as_json(one) for one in found])
        return
    columns = ("list", "name", *(state.value for state in SubscriptionState))
    say_table(columns, [(one.slug, one.name, *_counts(one).values()) for one in found])


@lists_app.command("rename")
def rename(
    context: typer.Context,
    slug: Slug,
    new_slug: Annotated[str, typer.Argument(metavar="[NEW]", help="The new slug.")] = "",
    name: Annotated[str, typer.Option(help="What people read from now on.")] = "",
) -> None:
    """Give a list another slug, another name, or both."""
    rename_list(session_of(context).database, slug, new_slug=new_slug, name=name)
    note(f"the list is called {new_slug or slug}" + (f", for people {name}" if name else ""))


@lists_app.command("delete")
def delete(context: typer.Context, slug: Slug, is_sure: Yes = False) -> None:
    """Delete a list that no issue was sent to, with its consent records; the people stay."""
    engine = session_of(context).database
    (found,) = show_lists(engine, slug)
    confirm(f"Delete the list {slug} with {found.total} people on it?", is_sure=is_sure)
    delete_list(engine, slug)
    note(f"the list {slug} is deleted; {found.total} people were or had been on it")


def _counts(one: MailingList) -> dict[str, int]:
    return {state.value: one.counts.get(state, 0) for state in SubscriptionState}


def _as_json(one: MailingList) -> dict[str, object]:
    return {"list": one.slug, "name": one.name, **_counts(one)}
