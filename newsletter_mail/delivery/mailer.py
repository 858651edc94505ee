"""What all sending from one workspace shares: where messages go, who sends, who may send now."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from newsletter_mail.delivery.editions import FrozenIssue
from newsletter_mail.delivery.links import LinkMaker
from newsletter_mail.delivery.lock import sender_lock
from newsletter_mail.delivery.messages import MessageMaker, list_names
from newsletter_mail.message.dkim import Signer
from newsletter_mail.settings import DeliverySection, SenderSection, TransportSection
from newsletter_mail.store.engine import reading, sqlite_path
from newsletter_mail.tokens import Tokens
from newsletter_mail.transport.base import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailer:
    """What all sending from one workspace needs.

    Attributes:
        clock: the time, aware UTC.
        signer: signs the messages (DKIM), where this is not left to the mail server.
    """

    engine: Engine
    transport: Transport
    newsletter_name: str
    base_url: str
    tokens: Tokens
    sender: SenderSection
    pacing: TransportSection
    delivery: DeliverySection
    clock: Callable[[], datetime]
    signer: Signer | None = None

    def links(self) -> LinkMaker:
        """Builds the links of its messages."""
        return LinkMaker(self.base_url, self.tokens)

    def maker(
        self, issue: FrozenIssue, *, is_test: bool = False, is_signing: bool = True
    ) -> MessageMaker:
        """Builds the messages of an issue.

        Args:
            is_signing: False where no message leaves: a signature costs more than all the rest.
        """
        with reading(self.engine) as connection:
            names = list_names(connection)
        return MessageMaker(
            slug=issue.slug,
            builds=issue.builds,
            default_language=issue.default_language,
            sender=self.sender,
            newsletter_name=self.newsletter_name,
            links=self.links(),
            lists=names,
            is_test=is_test,
            signer=self.signer if is_signing else None,
        )

    def ledger(self) -> Path | None:
        """Where the ledger of a run may be: beside an SQLite file, whose one sender we are."""
        path = sqlite_path(self.engine)
        return None if path is None else path.with_name(f"{path.name}.ledger")

    def lock(self, work: str) -> AbstractContextManager[None]:
        """The right to send; on SQLite one process has it."""
        path = sqlite_path(self.engine)
        if path is None:
            return nullcontext()
        return sender_lock(path, work=work, now=self.clock())
