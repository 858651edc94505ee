"""The senders that race: ours on both event loops, and those of others."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks import newsletter
from benchmarks.processes import Cost, module, run
from benchmarks.races import Racer
from benchmarks.room import Room
from benchmarks.sinks import Sink, own_sink, smtp_sink
from benchmarks.tools import best_loop, program

SMTP_SOURCE = "smtp-source"
SMTPLIB = "smtplib, 8 threads"
AIOSMTPLIB = "aiosmtplib"
AIOSMTPLIB_ALONE = "aiosmtplib, a message made once"
#: Threads of smtplib; more of them wait for Python's lock.
_THREADS = 8


def ours(loop: str) -> str:
    """How our lines are called."""
    return f"newsletter send, {loop}"


def alone(loop: str) -> str:
    """How the lines of our transport without the rest are called."""
    return f"our transport alone, {loop}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where senders race, and with what.

    Attributes:
        size: bytes that a message should have.
        delay_s: None: into Postfix's smtp-sink; else into a sink of ours, which waits so long
            before each answer.
        with_tls: TLS from the start, in a sink of ours.
        environment: of ``newsletter``, beside the transport.
    """

    room: Room
    size: int
    delay_s: float | None = None
    with_tls: bool = False
    environment: Mapping[str, str] | None = None

    @property
    def sink_programs(self) -> tuple[str, ...]:
        """Others' programs that the sink needs."""
        return ("smtp-sink",) if self.delay_s is None else ()

    def prepare(self) -> int:
        """Make what the races need, before they are timed; bytes of one message."""
        messages = self.room.options.messages
        for people in (messages, messages // 10):
            size = self.room.workspace(people, self.size).size
        return size

    def sink(self) -> AbstractContextManager[Sink]:
        """A fresh sink."""
        return smtp_sink() if self.delay_s is None else self._own_sink(self.delay_s)

    @contextmanager
    def _own_sink(self, delay_s: float) -> Iterator[Sink]:
        with (
            self.room.scratch() as folder,
            own_sink(folder, delay_s=delay_s, with_tls=self.with_tls) as sink,
        ):
            yield sink


def newsletter_racer(course: Course, loop: str) -> Racer:
    """All of ``newsletter send``: check, plan, claims, fill, wire, and the log on the disk."""
    room = course.room

    def send(messages: int) -> Cost:
        workspace = room.workspace(messages, course.size)
        with room.copy(workspace) as path, course.sink() as sink:
            url = f"smtp://127.0.0.1:{sink.port}?tls=none"
            environment = dict(course.environment or {})
            if sink.authority is not None:
                url = f"smtps://127.0.0.1:{sink.port}"
                environment["SSL_CERT_FILE"] = str(sink.authority)
            environment |= newsletter.send_environment(url, room.options.connections)
            return newsletter.send(path, environment, loop=loop, expected=messages)

    def prepare(messages: int) -> Cost:
        with room.copy(room.workspace(messages, course.size)) as path:
            nowhere = newsletter.send_environment("maildir:outbox", room.options.connections)
            return newsletter.dry_run(path, {**(course.environment or {}), **nowhere}, loop=loop)

    return Racer(
        name=ours(loop),
        messages=room.options.messages,
        send=send,
        prepare=prepare,
        programs=course.sink_programs,
        libraries=_library_of(loop),
    )


def transport_racer(course: Course, loop: str) -> Racer:
    """Our SMTP transport with messages that are made already: no database, no fill, no log."""
    room = course.room

    def send(messages: int) -> Cost:
        # The message is the same for any number of people.
        workspace = room.workspace(room.options.messages, course.size)
        with course.sink() as sink:
            authority = [] if sink.authority is None else ["--authority", sink.authority]
            return run(
                module(
                    "transport",
                    *("--workspace", workspace.path, "--port", sink.port, "--loop", loop),
                    *("--messages", messages, "--connections", room.options.connections),
                    *authority,
                )
            )

    return Racer(
        name=alone(loop),
        messages=room.options.messages,
        send=send,
        programs=course.sink_programs,
        libraries=_library_of(loop),
    )


def source_racer(course: Course) -> Racer:
    """Postfix's generator: the same bytes again and again, nothing made and nothing kept."""
    room = course.room

    def send(messages: int) -> Cost:
        size = room.workspace(room.options.messages, course.size).size
        sizes = ["-s", room.options.connections, "-m", messages, "-l", size]
        with course.sink() as sink:
            command = [program(SMTP_SOURCE), "-d", *sizes, f"127.0.0.1:{sink.port}"]
            return run([str(word) for word in command])

    return Racer(
        name=SMTP_SOURCE,
        messages=room.options.messages,
        send=send,
        programs=(*course.sink_programs, SMTP_SOURCE),
    )


def smtplib_racer(course: Course) -> Racer:
    """The standard library: an EmailMessage for each recipient, a connection a thread."""
    return _peer(course, SMTPLIB, "smtplib_threads", connections=_THREADS)


def aiosmtplib_racer(course: Course, *, is_made_once: bool = False) -> Racer:
    """aiosmtplib: a connection a task.

    Args:
        is_made_once: everybody gets the same bytes; else an EmailMessage is made for each.
    """
    connections = course.room.options.connections
    return _peer(
        course,
        AIOSMTPLIB_ALONE if is_made_once else AIOSMTPLIB,
        "aiosmtplib_tasks",
        *("--loop", best_loop()),
        *(("--once",) if is_made_once else ()),
        connections=connections,
        libraries=("aiosmtplib",),
    )


def _peer(
    course: Course,
    name: str,
    program_name: str,
    *arguments: str,
    connections: int,
    libraries: tuple[str, ...] = (),
) -> Racer:
    room = course.room

    def send(messages: int) -> Cost:
        build = room.workspace(room.options.messages, course.size).build
        with course.sink() as sink:
            return run(
                module(
                    program_name,
                    *("--build", build, "--port", sink.port),
                    *("--messages", messages, "--connections", connections),
                    *arguments,
                )
            )

    return Racer(
        name=name,
        messages=room.options.peer_messages,
        send=send,
        programs=course.sink_programs,
        libraries=libraries,
    )


def _library_of(loop: str) -> tuple[str, ...]:
    return () if loop == "asyncio" else (loop,)
