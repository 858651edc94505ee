"""Signing: the whole of ``newsletter send`` with DKIM against the signatures that OpenSSL makes."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping

from benchmarks.errors import BenchmarkError, Missing
from benchmarks.processes import Cost, module, run
from benchmarks.races import Racer, race
from benchmarks.room import Room
from benchmarks.senders import Course, newsletter_racer, ours
from benchmarks.tables import Section, at_least
from benchmarks.tools import best_loop, program

_TARGET = 0.6
_BITS = 2048
_SIGNED = "messages made and signed, none sent"


def measure(room: Room) -> Iterator[Section]:
    """One table, of the largest size."""
    try:
        openssl = program("openssl")
        program("smtp-sink")
    except Missing as error:
        yield Section(title="Signing (DKIM)", text=f"Not measured: {error}.")
        return
    options = room.options
    course = Course(room=room, size=options.sizes[0], environment=_signing(room, openssl))
    size = course.prepare()
    cores = os.cpu_count() or 1
    signing = f"openssl speed -multi {cores} rsa{_BITS}"
    outcome = race(
        [
            newsletter_racer(course, "uvloop"),
            newsletter_racer(course, "asyncio"),
            _signed_racer(course),
            _openssl_racer(openssl, signing, cores),
        ],
        options.rounds,
        what=f"dkim, {size:,} bytes",
    )
    of_openssl = {
        name: outcome.results[name].rate_of_sending / outcome.results[signing].rate
        for name in (_SIGNED, ours(best_loop()))
    }
    yield Section(
        title="Signing (DKIM)",
        text=(
            f"{options.messages:,} messages of {size:,} bytes, each signed with RSA of "
            f"{_BITS} bits, "
            f"over {options.connections} connections into smtp-sink, against the signatures that "
            f"OpenSSL makes on {cores} cores and does nothing with."
        ),
        paragraphs=[
            outcome.table([signing]),
            *outcome.notes,
        ],
        targets=[
            at_least(
                "messages made and signed, of OpenSSL's signatures", of_openssl[_SIGNED], _TARGET
            ),
            at_least(
                "the same sent, into a sink on the same cores",
                of_openssl[ours(best_loop())],
                _TARGET,
            ),
        ],
    )


def _signing(room: Room, openssl: str) -> Mapping[str, str]:
    """Settings that sign, with a fresh key."""
    key = room.path / "dkim.pem"
    key.touch(mode=0o600)
    made = subprocess.run(
        [openssl, "genrsa", "-out", str(key), str(_BITS)], capture_output=True, check=False
    )
    if made.returncode:
        raise BenchmarkError("openssl genrsa made no key")
    return {
        "NEWSLETTER_DKIM__DOMAIN": "example.org",
        "NEWSLETTER_DKIM__SELECTOR": "bench",
        "NEWSLETTER_DKIM__KEY_FILE": str(key),
    }


def _signed_racer(course: Course) -> Racer:
    """What a send does to have signed messages, and nothing of what it does with them."""
    room = course.room

    def sign(messages: int) -> Cost:
        workspace = room.workspace(room.options.messages, course.size)
        arguments = ("--workspace", workspace.path, "--messages", messages)
        return run(module("signed", *arguments), environment=course.environment)

    return Racer(name=_SIGNED, messages=room.options.messages, send=sign)


def _openssl_racer(openssl: str, name: str, cores: int) -> Racer:
    """OpenSSL's own benchmark, as if each signature were a message."""

    def sign(messages: int) -> Cost:
        speed = run([openssl, "speed", "-seconds", "2", "-multi", str(cores), f"rsa{_BITS}"])
        # The columns: seconds a signature, seconds a verification, signatures and verifications
        # a second.
        match = re.search(rf"^rsa +{_BITS} bits +\S+s +\S+s +([\d.]+)", speed.out, re.MULTILINE)
        if match is None:
            raise BenchmarkError("openssl speed printed no signatures a second")
        wall_s = messages / float(match[1])
        return Cost(wall_s=wall_s, cpu_s=cores * wall_s, peak_mb=speed.peak_mb)

    return Racer(name=name, messages=10_000, send=sign)
