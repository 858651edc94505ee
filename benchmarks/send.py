"""Sends the same mail with newsletter-mail and with others, side by side, into smtp-sink.

Every program sends N messages of about SIZE bytes over the same number of connections, in turn,
for some rounds; the medians and their ratios are printed. smtp-sink and smtp-source are the test
programs of Postfix (Debian: ``apt-get install postfix``).

``python benchmarks/send.py --messages 20000 --rounds 5``
"""

import argparse
import asyncio
import contextlib
import os
import resource
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

_SINK = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
_SOURCE = shutil.which("smtp-source", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What every program has to do.

    Attributes:
        size: bytes of the HTML, about.
        port: of the sink.
    """

    messages: int
    size: int
    connections: int
    port: int


@dataclass(frozen=True, slots=True)
class Cost:
    """One run of one program: seconds by the clock and of the processor."""

    wall: float
    cpu: float


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _sink() -> Iterator[int]:
    if _SINK is None:
        sys.exit("smtp-sink is missing: apt-get install postfix")
    port = _free_port()
    as_nobody = ["-u", "nobody"] if os.getuid() == 0 else []
    with subprocess.Popen([_SINK, *as_nobody, f"127.0.0.1:{port}", "1000"]) as sink:
        try:
            _wait_for(port)
            yield port
        finally:
            sink.terminate()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit("smtp-sink does not start")


def _in_child(work: Callable[[], None]) -> Cost:
    """Run in a process of its own, so that its processor time is its own."""
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the child must end here
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit("a program under measurement failed")
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime)


def _command(words: list[str], environment: dict[str, str] | None = None) -> Cost:
    def work() -> None:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
        os.execvpe(words[0], words, environment or dict(os.environ))

    return _in_child(work)


def newsletter_mail(job: Job) -> Cost:
    """All of ``newsletter send``: checks, plan, claims, fill, wire, log with synchronous=FULL."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(Path(folder), job)
        environment = {
            **os.environ,
            "NEWSLETTER_TRANSPORT__URL": f"smtp://127.0.0.1:{job.port}?tls=none",
            "NEWSLETTER_TRANSPORT__CONNECTIONS": str(job.connections),
        }
        words = [*_newsletter(workspace), "send", "bench", "--yes"]
        return _command(words, environment)


def _newsletter(workspace: Path) -> list[str]:
    return [sys.executable, "-m", "newsletter_mail", "-w", str(workspace)]


def _workspace(folder: Path, job: Job) -> Path:
    subprocess.run(
        [*_newsletter(folder)[:3], "init", str(folder)], check=True, stdout=subprocess.DEVNULL
    )
    issue = folder / "issues" / "bench"
    issue.mkdir()
    text = "A sentence of a newsletter, of the usual length and without any surprise in it.\n\n"
    body = text * max(1, (job.size - 12_000) // 360)
    (issue / "issue.md").write_text(
        "---\nsubject: Bench\n---\n# Bench\n\nDear {{ subscriber.first_name }},\n\n" + body
    )
    people = folder / "people.csv"
    with people.open("w") as rows:
        rows.write("email,first_name\n")
        rows.writelines(f"user{n}@example.org,Name{n}\n" for n in range(job.messages))
    subprocess.run(
        [*_newsletter(folder), "subscribers", "import", str(people)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return folder


def smtp_source(job: Job) -> Cost:
    """Postfix's generator: the same bytes again and again, no log."""
    if _SOURCE is None:
        sys.exit("smtp-source is missing: apt-get install postfix")
    sizes = ["-s", str(job.connections), "-m", str(job.messages), "-l", str(job.size + 8000)]
    return _command([_SOURCE, "-d", *sizes, f"127.0.0.1:{job.port}"])


def _email(number: int, size: int) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Bench <bench@example.org>"
    message["To"] = f"Name{number} <user{number}@example.org>"
    message["Subject"] = "Bench"
    message["Message-ID"] = f"<{number}@example.org>"
    text = "A sentence of a newsletter, of the usual length and without any surprise in it.\n"
    message.set_content(f"Dear Name{number},\n\n" + text * (size // 10 // len(text)))
    html = f"<p>Dear Name{number},</p>" + f"<p>{text}</p>" * (size // (len(text) + 7))
    message.add_alternative(html, subtype="html")
    return message


def smtplib_threads(job: Job) -> Cost:
    """The standard library on 8 threads, a connection each."""

    def work() -> None:
        def lane(first: int) -> None:
            with smtplib.SMTP("127.0.0.1", job.port) as server:
                for number in range(first, job.messages, 8):
                    server.send_message(_email(number, job.size))

        lanes = [threading.Thread(target=lane, args=(first,)) for first in range(8)]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()

    return _in_child(work)


def aiosmtplib_lanes(job: Job) -> Cost:
    """aiosmtplib, a connection a lane."""
    import aiosmtplib  # noqa: PLC0415 - only this peer needs it

    async def lane(first: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=job.port, start_tls=False) as server:
            for number in range(first, job.messages, job.connections):
                await server.send_message(_email(number, job.size))

    async def all_lanes() -> None:
        await asyncio.gather(*(lane(first) for first in range(job.connections)))

    return _in_child(lambda: asyncio.run(all_lanes()))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=62_000, help="bytes of the HTML")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers-messages", type=int, default=2_000, help="for the slow peers")
    chosen = parser.parse_args()
    fast = {"newsletter-mail": newsletter_mail, "smtp-source": smtp_source}
    slow = {"smtplib, 8 threads": smtplib_threads, "aiosmtplib": aiosmtplib_lanes}
    costs: dict[str, list[Cost]] = {}
    counts = {**dict.fromkeys(fast, chosen.messages), **dict.fromkeys(slow, chosen.peers_messages)}
    for _ in range(chosen.rounds):
        for name, send in {**fast, **slow}.items():
            with _sink() as port:
                job = Job(
                    messages=counts[name],
                    size=chosen.size,
                    connections=chosen.connections,
                    port=port,
                )
                costs.setdefault(name, []).append(send(job))
    _print_table(costs, counts)


def _print_table(costs: dict[str, list[Cost]], counts: dict[str, int]) -> None:
    rates = {
        name: counts[name] / statistics.median(cost.wall for cost in runs)
        for name, runs in costs.items()
    }
    print("| program | messages a second | of smtp-source | µs of CPU a message |")
    print("|---|---|---|---|")
    for name, runs in costs.items():
        cpu = statistics.median(cost.cpu for cost in runs) / counts[name] * 1e6
        ratio = rates[name] / rates["smtp-source"]
        print(f"| {name} | {rates[name]:,.0f} | {ratio:.2f} | {cpu:,.0f} |")
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\nlargest child process: {largest:,.0f} MB")


if __name__ == "__main__":
    main()
