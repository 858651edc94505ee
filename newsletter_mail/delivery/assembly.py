"""The messages of a window: made on the spot, or by all cores where each is signed."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from newsletter_mail.delivery.claims import ClaimedDelivery
from newsletter_mail.delivery.editions import FrozenIssue
from newsletter_mail.delivery.messages import MessageMaker
from newsletter_mail.errors import MessageError
from newsletter_mail.words import Outgoing

#: Messages that a thread signs at a time: handing one over costs as much as filling it.
_BATCH = 8

Made = Outgoing | MessageError


class Assembly:
    """Makes the messages of claimed deliveries."""

    def __init__(self, issue: FrozenIssue, maker: MessageMaker) -> None:
        self._issue = issue
        self._maker = maker
        self._signers: ThreadPoolExecutor | None = None
        if maker.signer is not None:
            self._signers = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="sign")

    async def make(self, claimed: Sequence[ClaimedDelivery]) -> AsyncIterator[Made]:
        """A message for each delivery in turn, or why there can be none."""
        if self._signers is None:
            # Some 30 µs each; the wire can wait for that.
            for message in self._make_all(claimed):
                yield message
            return
        # An RSA signature takes 300 µs and lets other threads run meanwhile.
        loop = asyncio.get_running_loop()
        batches = [
            loop.run_in_executor(self._signers, self._make_all, claimed[start : start + _BATCH])
            for start in range(0, len(claimed), _BATCH)
        ]
        for batch in batches:
            for message in await batch:
                yield message

    def close(self) -> None:
        """Let the threads go."""
        if self._signers is not None:
            self._signers.shutdown()

    def _make_all(self, claimed: Iterable[ClaimedDelivery]) -> list[Made]:
        return [self._make(delivery) for delivery in claimed]

    def _make(self, delivery: ClaimedDelivery) -> Made:
        try:
            return self._maker.make(
                delivery.recipient,
                self._issue.build_for(delivery.recipient.language),
                delivery.list_id,
                ref=delivery.ref,
                date=delivery.first_tried_at,
                key=delivery.subscriber_id,
            )
        except MessageError as error:
            return error
