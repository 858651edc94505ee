import socket
import time
from pathlib import Path

import pytest

from benchmarks import tools
from benchmarks.errors import BenchmarkError, Missing
from benchmarks.measures import MEASURES
from benchmarks.options import read_options
from benchmarks.processes import Cost, run
from benchmarks.races import Racer, race
from benchmarks.sinks import own_sink
from benchmarks.tables import at_least, at_most, targets_table


def _cost(messages: int) -> Cost:
    """A start of 1 s, and 1 ms a message."""
    return Cost(wall_s=1 + messages / 1000, cpu_s=0.5 + messages / 2000, peak_mb=1)


@pytest.mark.parametrize("delay_s", [0.0, 0.01])
def test_the_sink_answers_groups_of_commands_in_their_order(tmp_path: Path, delay_s: float) -> None:
    pieces = [
        b"EHLO me\r\n",
        b"MAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n",
        b"Subject: x\r\n\r\n.not the end\r",
        b"\n.",
        b"\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n.\r\nQUIT\r\n",
    ]
    with (
        own_sink(tmp_path, delay_s=delay_s, tell_after=2) as sink,
        socket.create_connection(("127.0.0.1", sink.port), 10) as client,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
            # Each should arrive by itself; where two arrive as one, the test says less.
            time.sleep(0.05)
        codes = [line[:4] for line in client.makefile("rb")]
        assert sink.wait_until_told()
    one = [b"250 ", b"250 ", b"354 ", b"250 "]
    assert codes == [b"220 ", *[b"250-"] * 3, b"250 ", *one, *one, b"221 "]


def test_what_a_program_does_once_is_not_in_the_difference() -> None:
    racer = Racer(name="ours", messages=1000, send=_cost)
    result = race([racer], 3, what="test").results["ours"]
    assert result.rate == pytest.approx(500)
    assert result.rate_without_start == pytest.approx(1000)
    assert result.cpu_us == pytest.approx(1000)
    assert result.cpu_us_without_start == pytest.approx(500)


def test_who_is_missing_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    racers = [
        Racer(name="ours", messages=10, send=_cost),
        Racer(name="theirs", messages=10, send=_cost, programs=["smtp-source"]),
    ]
    outcome = race(racers, 1, what="test")
    assert list(outcome.results) == ["ours"]
    assert outcome.notes == [
        "No line for theirs: smtp-source is missing (Debian: apt-get install postfix)."
    ]
    assert outcome.ratio("ours", "theirs") is None
    with pytest.raises(Missing, match="openssl is missing"):
        tools.program("openssl")


def test_a_program_that_fails_is_an_error_with_its_words() -> None:
    with pytest.raises(BenchmarkError, match="ended with 3: no room"):
        run(["sh", "-c", "echo no room >&2; exit 3"])


def test_targets_say_whether_they_are_met() -> None:
    table = targets_table([at_most("fill", 41, 40, " µs"), at_least("signed", 0.6, 0.6)])
    assert table.splitlines()[2:] == [
        "| fill | at most 40 µs | 41 µs | **no** |",
        "| signed | at least 0.6 | 0.60 | yes |",
    ]


def test_a_measure_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_options(["--only", "tls,send"], MEASURES).only == ("send", "tls")
    with pytest.raises(SystemExit) as ended:
        read_options(["--only", "sned"], MEASURES)
    assert ended.value.code == 2
    assert "there is no sned" in capsys.readouterr().err
