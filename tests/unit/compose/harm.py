"""Compiles one text in a process of its own, and says what harm its mail could do.

In a process of its own, because what a test must notice could end that process: a loop without
end, a stack that overflows in C.
"""

import multiprocessing
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Self

from newsletter_mail.errors import CompileError, IssueError
from newsletter_mail.words import Build
from tests.unit.compose.desk import Desk, filled, parsed

#: Processor time of one compilation, seconds: the machine may be busy with other work.
LIMIT_S = 5.0
#: By the clock, for what is stuck where no signal is looked at.
_GIVEN_UP_S = 120.0
_SCHEMES = ("http", "https", "mailto", "tel", "value", "picture")
_ADDRESSES = ("action", "background", "cite", "formaction", "href", "ping", "src", "srcset")
_LOADED = ("background", "dynsrc", "lowsrc", "ping", "src", "srcset")
_FORBIDDEN = (
    *("applet", "audio", "base", "button", "embed", "form", "frame", "frameset", "iframe", "input"),
    *("link", "math", "object", "script", "select", "svg", "template", "textarea", "video"),
)
# What CSS loads or runs something with.
_CSS = re.compile(
    r"url\(|src\(|expression|image-set|@import|javascript|behavior|-moz-binding", re.IGNORECASE
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Judge:
    """Compiles texts, one after the other: ``with Judge() as judge``."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def harm(self, body: str, front: str = "subject: Hello") -> list[str]:
        """What is wrong with the mail of a text; nothing where it is refused with a sentence."""
        return self._pool.submit(_harm, body, front).result(_GIVEN_UP_S)


def _harm(body: str, front: str) -> list[str]:
    # The compiler may be stuck, and the machine so busy that this says nothing by the clock.
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        with tempfile.TemporaryDirectory() as folder:
            desk = Desk(workspace=Path(folder))
            desk.picture("a.png", (20, 10))
            return list(_found(desk.compile(body, front)))
    except IssueError as error:
        return [] if error.message and "\n" not in error.message else [f"said {error.message!r}"]
    except CompileError as error:
        return [] if error.message else ["an error without words"]
    except _TooLong:
        return [f"took more than {LIMIT_S} s"]
    except Exception as error:  # noqa: BLE001  that is what is looked for
        return [f"{type(error).__name__}: {str(error)[:200]}"]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class _TooLong(BaseException):
    pass


def _too_long(*_: object) -> None:
    if not sys.is_finalizing():
        raise _TooLong


def _found(build: Build) -> Iterator[str]:
    page = parsed(build)
    for element in page.iter():
        if isinstance(element.tag, str):
            yield from _of_element(element)
        elif re.search(
            r"<script|<form|\son[a-z]+\s*=|javascript:", element.text or "", re.IGNORECASE
        ):
            yield f"comment {element.text[:80]!r}"
    for style in page.iter("style"):
        if _CSS.search(style.text or ""):
            yield f"style {style.text[:80]!r}"
    for name, text in (("subject", filled(build.subject)), ("text", filled(build.text))):
        if _CONTROL.search(text) or (name == "subject" and "\n" in text):
            yield f"a control character in the {name}"


def _of_element(element: Any) -> Iterator[str]:
    if element.tag in _FORBIDDEN or (element.tag == "meta" and _is_harmful_meta(element)):
        yield f"<{element.tag} {dict(element.attrib)}>"
    for name, value in element.attrib.items():
        if str(name).lower().startswith("on"):
            yield f"{name} of <{element.tag}>"
        # Browsers look over white space and control characters in a scheme.
        scheme = re.sub(r"[\s\x00-\x20]", "", value).partition(":")[0].lower()
        is_address = str(name).lower().rpartition(":")[2] in _ADDRESSES
        if is_address and scheme not in _SCHEMES and not value.endswith((".png", ".ics")):
            yield f"{name}={value[:80]!r} of <{element.tag}>"
        if name == "style" and _CSS.search(value):
            yield f"style={value[:80]!r} of <{element.tag}>"
        if str(name).lower() in _LOADED and "//" in value:
            yield f"{name}={value[:80]!r} of <{element.tag}> is loaded from elsewhere"


def _is_harmful_meta(element: Any) -> bool:
    return str(element.get("http-equiv", "")).lower() not in (
        *("", "content-type", "x-ua-compatible"),
    )
