"""The event loop that an asyncio program runs on, by its name."""

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any


def run_on(loop: str, work: Coroutine[Any, Any, None]) -> None:
    """Run to the end.

    Args:
        loop: ``uvloop`` or ``asyncio``.
    """
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if loop == "uvloop":
        factory = import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)
