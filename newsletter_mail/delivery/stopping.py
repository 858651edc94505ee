"""How a person ends a send."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stop:
    """How a person ends a send: once is gently, twice is at once."""

    def __init__(self) -> None:
        self.gently = asyncio.Event()
        self.at_once = asyncio.Event()

    def request(self) -> None:
        """Ask once more."""
        (self.at_once if self.gently.is_set() else self.gently).set()


@contextmanager
def stopping_on_signals(stop: Stop, on_stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM ask the send to stop while the block runs.

    Args:
        on_stop: told each time; quick.
    """
    loop = asyncio.get_running_loop()

    def ask() -> None:
        stop.request()
        on_stop()

    signals = (signal.SIGINT, signal.SIGTERM)
    former = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        # Windows has no add_signal_handler; this way works there too.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ask))
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
