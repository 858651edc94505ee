"""A newsletter with people on a real SQLite file, and a client for its pages."""

import asyncio
from collections.abc import AsyncIterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, text
from starlette.applications import Starlette

from newsletter_mail.audience.subscribers import new_public_id
from newsletter_mail.audience.subscriptions import subscribe
from newsletter_mail.delivery.editions import freeze_issue
from newsletter_mail.settings import NewsletterSection, Settings, WebSection
from newsletter_mail.store.engine import reading, writing
from newsletter_mail.store.migrate import open_database
from newsletter_mail.store.schema import (
    consent_events,
    deliveries,
    issues,
    lists,
    metadata,
    subscribers,
    subscriptions,
)
from newsletter_mail.tokens import Grant, Purpose, Tokens
from newsletter_mail.web.app import create_app
from newsletter_mail.words import (
    Build,
    DeliveryState,
    Hole,
    HoleContext,
    Picture,
    PictureRef,
    SubscriptionState,
)

KEY = "a-secret-key-for-tests-only"
NAME = "Mayors Mechanism"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PICTURE = Picture(name="0123456789abcdef" * 2 + ".png", media_type="image/png", content=b"\x89PNG")


@dataclass(frozen=True, slots=True)
class Person:
    row: int
    public_id: str
    email: str


@dataclass
class Clock:
    """Goes forward by a second whenever somebody looks."""

    at: datetime = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass
class World:
    engine: Engine
    settings: Settings
    clock: Clock = field(default_factory=Clock)
    tokens: Tokens = field(default_factory=lambda: Tokens([KEY]))

    @property
    def app(self) -> Starlette:
        return create_app(self.settings, self.engine, clock=self.clock)

    def add_list(self, slug: str, name: str) -> None:
        with writing(self.engine) as connection:
            connection.execute(insert(lists).values(slug=slug, name=name, created_at=self.clock()))

    def add_person(
        self, email: str = "ada@example.org", *, on: Sequence[str] = ("main",), language: str = ""
    ) -> Person:
        public_id = new_public_id()
        now = self.clock()
        with writing(self.engine) as connection:
            row = connection.execute(
                insert(subscribers)
                .values(
                    public_id=public_id,
                    email=email,
                    email_key=email.lower(),
                    language=language,
                    created_at=now,
                    updated_at=now,
                )
                .returning(subscribers.c.id)
            ).scalar_one()
            for slug in on:
                subscribe(connection, row, self._list_id(slug), source="test", now=now)
        return Person(row, public_id, email)

    def _list_id(self, slug: str) -> int:
        with reading(self.engine) as connection:
            query = select(lists.c.id).where(lists.c.slug == slug)
            return int(connection.execute(query).scalar_one())

    def freeze(self, *builds: Build) -> None:
        with writing(self.engine) as connection:
            freeze_issue(connection, builds, now=self.clock())

    def deliver(self, slug: str, person: Person, *, by: str = "main") -> None:
        """A row that says: this issue went to this person by that list."""
        now = self.clock()
        list_id = self._list_id(by)
        with writing(self.engine) as connection:
            issue = connection.execute(select(issues.c.id).where(issues.c.slug == slug))
            connection.execute(
                insert(deliveries).values(
                    issue_id=issue.scalar_one(),
                    subscriber_id=person.row,
                    list_id=list_id,
                    state=DeliveryState.SENT,
                    due_at=now,
                )
            )

    def token(
        self,
        person: Person,
        *,
        issue: str = "summer",
        purpose: Purpose = Purpose.UNSUBSCRIBE,
        is_test: bool = False,
    ) -> str:
        return self.tokens.sign(purpose, Grant(person.public_id, issue, is_test))

    def joined(self, person: Person) -> set[str]:
        """The lists that the person is on."""
        query = (
            select(lists.c.slug)
            .join(subscriptions, subscriptions.c.list_id == lists.c.id)
            .where(
                subscriptions.c.subscriber_id == person.row,
                subscriptions.c.state == SubscriptionState.ACTIVE,
            )
        )
        with reading(self.engine) as connection:
            return set(connection.execute(query).scalars())

    def consent(self, person: Person) -> list[tuple[str, str, str]]:
        """What happened, oldest first: kind, list, source; without how the person came."""
        query = (
            select(consent_events.c.kind, lists.c.slug, consent_events.c.source)
            .join(lists, lists.c.id == consent_events.c.list_id)
            .where(consent_events.c.subscriber_id == person.row, consent_events.c.source != "test")
            .order_by(consent_events.c.id)
        )
        with reading(self.engine) as connection:
            return [(row.kind, row.slug, row.source) for row in connection.execute(query)]

    def dump(self) -> Mapping[str, object]:
        """Everything in the database."""
        with reading(self.engine) as connection:
            return {
                table.name: connection.execute(
                    text(f"SELECT * FROM {table.name} ORDER BY 1, 2")
                ).all()
                for table in metadata.sorted_tables
            }

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterable[bytes] | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[None, str]] | None = None,
    ) -> httpx.Response:
        """One request; redirects are not followed, errors of the program are answers."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://news") as client:
                return await client.request(
                    method, path, headers=headers, content=content, data=form, files=files
                )

        return asyncio.run(send())


@contextmanager
def open_world(folder: Path, *, name: str = NAME, language: str = "en") -> Iterator[World]:
    """A world in that folder."""
    engine = open_database(f"sqlite:///{folder / 'newsletter.db'}")
    settings = Settings(
        newsletter=NewsletterSection(name=name, language=language),
        web=WebSection(base_url="https://news.example.org"),
        workspace=folder,
        secret_key=SecretStr(KEY),
    )
    try:
        yield World(engine, settings)
    finally:
        engine.dispose()


def small_build(slug: str = "summer", language: str = "en") -> Build:
    """A build with every kind of hole."""

    def hole(expression: str, context: HoleContext = HoleContext.HTML) -> Hole:
        return Hole(expression, context)

    return Build(
        slug=slug,
        language=language,
        title="Summer",
        subject=("Summer",),
        html=(
            f'<!doctype html><html lang="{language}"><title>Summer</title><body><p>Dear ',
            hole('subscriber.first_name | default("friend")'),
            ", of ",
            hole("subscriber.attributes.city"),
            "; ",
            hole("subscriber.email"),
            "!</p><img alt='' src=\"",
            PictureRef(PICTURE.name),
            '"><a href="https://example.org/?q=',
            hole("subscriber.attributes.city", HoleContext.URL_PART),
            '">q</a><a href="',
            hole("subscriber.attributes.site", HoleContext.URL),
            '">site</a><a href="',
            hole("unsubscribe_url", HoleContext.URL),
            '">leave</a><a href="',
            hole("preferences_url", HoleContext.URL),
            '">choose</a><a href="',
            hole("web_url", HoleContext.URL),
            '">web</a></body></html>',
        ),
        text=("Summer\n",),
        pictures=(PICTURE,),
        digest=("0" if language == "en" else "1") * 64,
    )
