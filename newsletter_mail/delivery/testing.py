"""Tests: the very message, to given addresses only, outside the dedup."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select

from newsletter_mail.addresses import Address, parse_address
from newsletter_mail.delivery.editions import FrozenIssue, keep_pictures
from newsletter_mail.delivery.mailer import Mailer
from newsletter_mail.delivery.preparation import find_lists
from newsletter_mail.delivery.recipients import recipient_of
from newsletter_mail.delivery.running import run_async
from newsletter_mail.errors import NotFound
from newsletter_mail.store.engine import reading, writing
from newsletter_mail.store.schema import subscribers, tests
from newsletter_mail.words import Outcome, Outgoing, Recipient, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """What became of one test message."""

    #: pytest collects classes by their name; this is none of its.
    __test__ = False

    email: str
    outcome: Outcome

    @property
    def is_accepted(self) -> bool:
        """The server took it."""
        return self.outcome.verdict is Verdict.ACCEPTED


def send_test(
    mailer: Mailer, issue: FrozenIssue, *, to: Sequence[str], as_subscriber: str | None
) -> list[TestResult]:
    """Send the message to these addresses, marked ``[Test]``; its links change nothing.

    Args:
        to: addresses; need not be subscribers.
        as_subscriber: whose values fill the merge tags; None: those of the address itself where
            it is a subscriber, else none, so that each tag shows its default.

    Raises:
        InvalidAddress: one of them is none; nothing is sent.
        NotFound: there is no such subscriber.
        MessageError: the message cannot be made for that person.
        TransportError: the way to the server is broken; what was sent is in the log.
    """
    addresses = [parse_address(email) for email in to]
    messages = _make(mailer, issue, addresses, as_subscriber)
    with writing(mailer.engine) as connection:
        for build in issue.builds.values():
            keep_pictures(connection, build.pictures)
    feed = _ListFeed(messages)
    results: list[TestResult] = []

    def report(message: Outgoing, outcome: Outcome) -> None:
        address = addresses[message.key]
        results.append(TestResult(email=address.display, outcome=outcome))

    try:
        run_async(mailer.transport.run(feed, report))
    finally:
        _keep(mailer, issue, results, as_subscriber)
    return results


def _make(
    mailer: Mailer, issue: FrozenIssue, addresses: Sequence[Address], as_subscriber: str | None
) -> list[Outgoing]:
    maker, now = mailer.maker(issue, is_test=True), mailer.clock()
    with reading(mailer.engine) as connection:
        list_id = find_lists(connection, ["main"])[0]
    messages = []
    for key, address in enumerate(addresses):
        recipient = _recipient(mailer, address, as_subscriber)
        build = issue.build_for(recipient.language)
        # Unlike a delivery's, a test's name is new each time: it is looked at each time.
        ref = mailer.tokens.message_ref(build.digest, f"test {now.isoformat()} {address.key}")
        messages.append(
            maker.make(recipient, build, list_id, ref=ref, date=now, key=key, to=address.display)
        )
    return messages


def _recipient(mailer: Mailer, address: Address, as_subscriber: str | None) -> Recipient:
    key = address.key if as_subscriber is None else parse_address(as_subscriber).key
    with reading(mailer.engine) as connection:
        row = (
            connection.execute(select(subscribers).where(subscribers.c.email_key == key))
            .mappings()
            .one_or_none()
        )
    if row is not None:
        return recipient_of(row)
    if as_subscriber is not None:
        raise NotFound(f"there is no subscriber {as_subscriber}")
    return Recipient(public_id="test", email=address.display)


def _keep(
    mailer: Mailer,
    issue: FrozenIssue,
    results: Sequence[TestResult],
    as_subscriber: str | None,
) -> None:
    if not results:
        return
    now = mailer.clock()
    rows = [
        {
            "slug": issue.slug,
            "digest": issue.build_for(
                _recipient(mailer, parse_address(result.email), as_subscriber).language
            ).digest,
            "email": result.email,
            "at": now,
            "verdict": result.outcome.verdict.value,
            "reply": str(result.outcome.reply),
        }
        for result in results
    ]
    with writing(mailer.engine) as connection:
        connection.execute(insert(tests), rows)


class _ListFeed:
    """A few messages, all ready at once."""

    is_closed = False

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self._messages = deque(messages)

    async def next(self) -> Outgoing | None:
        return self.next_now()

    def next_now(self) -> Outgoing | None:
        return self._messages.popleft() if self._messages else None
