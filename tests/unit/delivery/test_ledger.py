"""The ledger: what it says after a kill is true, and it says nothing that it does not know."""

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.delivery import ledger as ledger_module
from newsletter_mail.delivery.ledger import Ledger, Mark, read_ledger
from newsletter_mail.errors import StoreError

OWNER = "0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "newsletter.db.ledger"


def started(path: Path) -> Ledger:
    ledger = Ledger.start(path, owner=OWNER, issue_id=7)
    assert ledger is not None
    return ledger


def marks(path: Path) -> dict[int, Mark]:
    note = read_ledger(path)
    assert note is not None
    assert (note.owner, note.issue_id) == (OWNER, 7)
    return dict(note.marks)


def test_the_last_word_counts(path: Path) -> None:
    ledger = started(path)
    ledger.claim([1, 2, 3, 4])
    ledger.take(2)
    ledger.take(3)
    ledger.take(4)
    ledger.hear(3, is_accepted=True)
    ledger.hear(4, is_accepted=False)
    assert marks(path) == {
        1: Mark.CLAIMED,
        2: Mark.TAKEN,
        3: Mark.ACCEPTED,
        4: Mark.NOT_ACCEPTED,
    }


def test_it_goes_with_the_run_unless_it_is_needed(path: Path) -> None:
    started(path).close(is_needed=False)
    assert read_ledger(path) is None
    assert not path.exists()
    started(path).close(is_needed=True)
    assert marks(path) == {}


def test_a_machine_that_was_started_anew_knows_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(path).claim([1])
    boot = tmp_path / "boot_id"
    boot.write_text("another start of the machine, 36 long")
    monkeypatch.setattr(ledger_module, "_BOOT_ID", boot)
    assert read_ledger(path) is None


def test_a_machine_that_does_not_say_when_it_was_started_has_none(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "_BOOT_ID", tmp_path / "none")
    assert Ledger.start(path, owner=OWNER, issue_id=7) is None
    assert not path.exists()


def test_a_folder_that_cannot_be_written_has_none(tmp_path: Path) -> None:
    assert Ledger.start(tmp_path / "no folder" / "ledger", owner=OWNER, issue_id=7) is None


@pytest.mark.parametrize("content", [b"", b"newsletter", b"\0" * 200, b"newsletter ledger 2\n" * 9])
def test_another_file_says_nothing(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_ledger(path) is None


def test_a_ledger_that_is_full_is_written_anew_and_says_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "_ENTRIES", 8)
    ledger = started(path)
    ledger.claim([7, 8])
    for key in range(100, 200):
        ledger.take(key)
        ledger.hear(key, is_accepted=True)
        ledger.forget([key])
        assert {7, 8} <= marks(path).keys()
    ledger.hear(7, is_accepted=True)
    assert path.stat().st_size < 600
    assert marks(path).items() >= {7: Mark.ACCEPTED, 8: Mark.CLAIMED}.items()


def test_a_full_disk_lets_no_message_leave(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_ENTRIES", 2)
    ledger = started(path)
    ledger.claim([1, 2])

    def write(_path: Path, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", write)
        with pytest.raises(StoreError, match="No space left"):
            ledger.take(1)
    assert marks(path) == {1: Mark.CLAIMED, 2: Mark.CLAIMED}
    ledger.take(1)
    assert marks(path) == {1: Mark.TAKEN, 2: Mark.CLAIMED}


EVENTS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["take", "yes", "no", "forget"])))


@given(events=EVENTS, cut=st.integers(0, 400))
def test_a_cut_ledger_says_what_was_true_at_some_moment(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[int, str]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "ledger"
    ledger = started(path)
    ledger.claim(range(6))
    moments = [marks(path)]
    for key, event in events:
        if event == "take":
            ledger.take(key)
        elif event == "forget":
            ledger.forget([key])
        else:
            ledger.hear(key, is_accepted=event == "yes")
        moments.append(marks(path))
    header, content = path.read_bytes()[:80], path.read_bytes()[80:]
    path.write_bytes(header + content[: max(cut, 6 * 16)])
    assert marks(path) in moments
