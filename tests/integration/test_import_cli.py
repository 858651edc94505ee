import csv
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter_mail.audience.details import Names, make_person
from newsletter_mail.audience.importing.people import Rejected
from newsletter_mail.audience.importing.subscribers import ImportOrder, import_subscribers
from newsletter_mail.audience.subscribers import add_subscriber
from newsletter_mail.errors import StoreError
from newsletter_mail.store.engine import connect
from tests.integration.people import SECRET_KEY, Desk

NOW = datetime(2023, 7, 1, tzinfo=UTC)
PEOPLE = [
    ["email", "Full Name", "Language", "Region", "Notes"],
    ["anna@example.org", "Anna Müller", "de", "Europe", "likes €"],
    ["ben@example.org", "Ben, the 2nd", "EN_us", "", "two\nlines; and a \ttab"],
    ["cleo@example.org", "", "", "", 'says "hello"'],
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path / "workspace")


def written(rows: list[list[str]], delimiter: str, encoding: str) -> bytes:
    lines = (
        delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows
    )
    return "".join(lines).encode(encoding)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_in_every_usual_encoding_and_delimiter(
    desk: Desk, delimiter: str, encoding: str
) -> None:
    path = desk.file("people.csv", written(PEOPLE, delimiter, encoding))
    ended = desk.do("subscribers", "import", path)
    assert ("Windows-1252" in ended.err) == (encoding == "cp1252")
    assert "columns that became attributes: region, notes" in ended.err
    anna, ben, cleo = desk.people()
    assert (anna["name"], anna["first_name"], anna["language"]) == ("Anna Müller", "Anna", "de")
    assert anna["attributes"] == {"region": "Europe", "notes": "likes €"}
    assert (ben["name"], ben["language"]) == ("Ben, the 2nd", "en-US")
    assert ben["attributes"] == {"notes": "two\nlines; and a \ttab"}
    assert cleo["attributes"] == {"notes": 'says "hello"'}


def test_a_second_import_of_the_same_file_changes_nothing(desk: Desk) -> None:
    path = desk.file("people.csv", written(PEOPLE, ";", "utf-8"))
    assert desk.import_counts(path) == {"rows": 3, "added": 3}
    before = desk.dump()
    for options in ((), ("--update",), ("--dry-run",)):
        assert desk.import_counts(path, *options) == {"rows": 3, "unchanged": 3}
    assert "nothing has changed" in desk.do("subscribers", "import", path).err
    assert desk.dump() == before


def test_every_kind_of_row_is_counted_once(desk: Desk) -> None:
    desk.do("lists", "create", "board")
    for email in ("left@example.org", "there@example.org", "dead@example.org"):
        desk.do("subscribers", "add", email, "--list", "board", "--name", "Old Name")
    desk.do("subscribers", "add", "main@example.org")
    desk.do("subscribers", "unsubscribe", "left@example.org")
    desk.do("suppressions", "add", "dead@example.org")
    desk.do("suppressions", "add", "stranger@example.org")
    emails = ["left", "there", "dead", "main", "stranger", "new", "bad@", "NEW", "dead", "stranger"]
    lines = "".join(f"{email}@example.org,New Name\n" for email in emails)
    path = desk.file("people.csv", f"email,name\n{lines}")
    expected = {
        "rows": 10,
        "unsubscribed": 1,
        "unchanged": 1,
        "suppressed": 2,
        "joined": 1,
        "added": 1,
        "rejected": 1,
        "duplicates": 3,
    }
    before = desk.dump()
    assert desk.import_counts(path, "--list", "board", "--dry-run") == expected
    assert desk.dump() == before
    assert desk.import_counts(path, "--list", "board") == expected
    states = {one["email"]: (one["state"], one["name"]) for one in desk.people("--list", "board")}
    assert states == {
        "left@example.org": ("unsubscribed", "Old Name"),
        "there@example.org": ("active", "Old Name"),
        "dead@example.org": ("suppressed", "Old Name"),
        "main@example.org": ("active", ""),
        "new@example.org": ("active", "New Name"),
    }
    assert [(one["list"], one["source"]) for one in desk.person("new@example.org")["consent"]] == [
        ("board", "import people.csv")
    ]
    assert desk.import_counts(path, "--list", "board", "--update") == {
        **{key: count for key, count in expected.items() if key not in {"joined", "added"}},
        "unchanged": 1,
        "updated": 2,
    }
    assert desk.person("there@example.org")["name"] == "New Name"
    assert desk.person("left@example.org")["name"] == "Old Name"


def test_duplicates_are_found_far_apart_and_the_first_wins(desk: Desk) -> None:
    desk.do("subscribers", "add", "known@example.org", "--name", "Old")
    filler = "".join(f"p{number}@example.org,P\n" for number in range(2500))
    again = "KNOWN@example.org,Second\nnew@example.org,Second\n"
    path = desk.file(
        "people.csv", f"email,name\nknown@example.org,First\nnew@example.org,First\n{filler}{again}"
    )
    assert desk.import_counts(path, "--update") == {
        "rows": 2504,
        "added": 2501,
        "updated": 1,
        "duplicates": 2,
    }
    assert desk.person("known@example.org")["name"] == "First"
    assert desk.person("new@example.org")["name"] == "First"


def test_bad_rows_are_named_with_their_lines_and_good_rows_are_kept(desk: Desk) -> None:
    content = (
        'email,name,language\nanna@example.org,"Anna\r\nBcc: x@example.org",en\n'
        "nobody,Nobody,en\n\nben@example.org,Ben,English\n,No Address,\n"
        "cleo@example.org,Smith, Cleo,en\ndora@example.org\n"
        'evil@example.org,"abc "def" ghi",en\nfay@example.org,Fay\u202e,en\n'
        "=cmd()@x,=Gil,\ngood@example.org,<script>{{ 7*7 }},fr\n"
    )
    path = desk.file("people.csv", content)
    report = desk.path / "report.csv"
    ended = desk.run("subscribers", "import", path, "--report", report, "--json")
    assert ended.code == 1
    assert {key: count for key, count in ended.json.items() if type(count) is int and count} == {
        "rows": 10,
        "added": 2,
        "rejected": 8,
    }
    with report.open(newline="", encoding="utf-8") as stream:
        found = [(int(row["line"]), row["email"], row["reason"]) for row in csv.DictReader(stream)]
    too_wide = (
        "the row has 4 fields and the header 3; a value with the separator in it stands in quotes"
    )
    bidi = "name: has a character that turns the direction of text (U+202E) in it"
    expected = [
        (2, "anna@example.org", "name: has a line break (U+000D) in it"),
        (4, "nobody", "not an address: An email address must have an @-sign"),
        (6, "ben@example.org", "language: 'English' is not a language tag such as en or pt-BR"),
        (7, "", "the row has no address"),
        (8, "cleo@example.org", too_wide),
        (10, "", 'a quoted field goes on after its closing quote; a quote inside is written ""'),
        (11, "fay@example.org", bidi),
    ]
    assert found[:7] == expected
    assert found[7][0] == 12
    assert found[7][1].startswith("'=")
    for line, _, reason in expected:
        assert f"{path}:{line}: " in ended.err
        assert reason in ended.err
    assert [person["email"] for person in desk.people()] == ["dora@example.org", "good@example.org"]
    assert desk.person("good@example.org")["name"] == "<script>{{ 7*7 }}"


def test_the_rest_of_a_broken_note_is_not_taken_for_people(desk: Desk) -> None:
    content = (
        'email,name,note\nanna@example.org,Anna,"she said "hi" and\n'
        'ben@example.org, ask him\nbye"\ncleo@example.org,Cleo,fine\n'
    )
    path = desk.file("people.csv", content)
    assert desk.import_counts(path) == {"rows": 4, "added": 1, "rejected": 3}
    assert [person["email"] for person in desk.people()] == ["cleo@example.org"]


def test_the_terminal_names_the_first_bad_rows_only(desk: Desk) -> None:
    path = desk.file("people.csv", "email\n" + "bad\n" * 100)
    ended = desk.run("subscribers", "import", path)
    assert ended.code == 1
    assert ended.err.count("not an address") == 20
    assert "--report FILE has all of them" in ended.err


def test_bytes_that_are_not_text_cost_only_their_row(desk: Desk) -> None:
    good = "".join(f"p{number}@example.org,Müller\n" for number in range(5)).encode()
    path = desk.file("people.csv", b"email,name\n" + good + b"bad@example.org,M\xfcller\n")
    ended = desk.run("subscribers", "import", path)
    assert ended.code == 1
    assert "Warning: " in ended.err
    assert "bad@example.org: name: has bytes that are not text" in ended.err
    assert {person["name"] for person in desk.people()} == {"Müller"}


@pytest.mark.parametrize(
    "content",
    [
        "a@example.org\nb@example.org\n",
        "\ufeffa@example.org\r\nb@example.org",
        "sep=;\nname;mail\nA;a@example.org\nB;b@example.org\n",
    ],
)
def test_a_bare_list_of_addresses_is_enough(desk: Desk, content: str) -> None:
    assert desk.import_counts(desk.file("people.txt", content)) == {"rows": 2, "added": 2}
    assert [person["email"] for person in desk.people()] == ["a@example.org", "b@example.org"]


def test_columns_are_mapped_by_hand(desk: Desk) -> None:
    path = desk.file("people.csv", "Kontakt,Spitzname,Junk\na@example.org,Al,x\n")
    options = ("--map", "kontakt=email", "--map", "Spitzname=attributes.nick", "--map", "junk=-")
    assert desk.import_counts(path, *options) == {"rows": 1, "added": 1}
    assert desk.people()[0]["attributes"] == {"nick": "Al"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04" + b"\x00" * 100_000, "is not a CSV file but a zip or Excel file"),
        (b"\x1f\x8b\x08\x00abc", "is not a CSV file but a gzip file"),
        (b"%PDF-1.7 abc", "is not a CSV file but a PDF"),
        (b"\xd0\xcf\x11\xe0abc", "is not a CSV file but an old Excel file"),
        (b"email\n\x00\x01\x02", "it has zero bytes in it"),
        (b"\x00" * 100, "its first bytes are zeros"),
        (b"\xff\xfe\x00\x00e\x00\x00\x00", "is UTF-32"),
        (b"\xff\xfee\x00\x00\xd8\x00\x00", "is not utf-16"),
        (b"\xff\xfe" + "email\na@b.org\n".encode("utf-16-le") + b"\x00\xd8", "is not utf-16"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"name,town\nAnna,Paris\n", "no column of e-mail addresses; its columns are 'name', 'to"),
        (b"Anna,anna@example.org\n", "the first line has an address in it where the names"),
        (b"email,E-mail address\na,b\n", "are both the email"),
        (b'"email\n', "the first line cannot be read: a quote that opens"),
    ],
)
def test_a_file_that_is_of_no_use_is_refused_in_a_sentence(
    desk: Desk, content: bytes, sentence: str
) -> None:
    path = desk.file("people.csv", content)
    ended = desk.run("subscribers", "import", path)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith(f"Error: {path}: ")
    assert ended.err.count("\n") == 1
    assert sentence in ended.err


def test_a_zip_of_a_gigabyte_is_refused_at_once(desk: Desk) -> None:
    path = desk.file("people.csv", b"PK\x03\x04")
    os.truncate(path, 1 << 30)
    started = time.monotonic()
    assert desk.run("subscribers", "import", path).code == 2
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("missing.csv", "there is no such file"), ("", "is a folder"), ("pipe", "read only once")],
)
def test_what_is_no_file_is_refused(desk: Desk, name: str, sentence: str) -> None:
    os.mkfifo(desk.path / "pipe")
    ended = desk.run("subscribers", "import", desk.path / name)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert sentence in ended.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--list", "mian"), "did you mean main?"),
        (("--list", "board"), "`newsletter lists create SLUG` makes one"),
        (("--map", "mail=email"), "there is no such column; did you mean 'email'?"),
        (("--map", "email"), "write COLUMN=FIELD"),
        (("--report", "/nowhere/report.csv"), "/nowhere/report.csv: cannot be written"),
    ],
)
def test_an_order_that_cannot_be_followed_changes_nothing(
    desk: Desk, options: tuple[str, str], sentence: str
) -> None:
    path = desk.file("people.csv", "email\nanna@example.org\n")
    desk.do("lists", "show")
    before = desk.dump()
    ended = desk.run("subscribers", "import", path, *options)
    assert ended.code == 2
    assert sentence in ended.err
    assert desk.dump() == before


def test_the_report_never_overwrites_the_file_that_is_read(desk: Desk) -> None:
    path = desk.file("people.csv", "email\nanna@example.org\n")
    assert desk.run("subscribers", "import", path, "--report", path).code == 2
    assert path.read_text() == "email\nanna@example.org\n"


def test_a_killed_import_leaves_nothing(desk: Desk) -> None:
    desk.do("subscribers", "add", "known@example.org")
    before = desk.dump()
    lines = "".join(f"p{number}@example.org,Person {number}\n" for number in range(60_000))
    path = desk.file("people.csv", f"email,name\n{lines}")
    command = ["-m", "newsletter_mail", "-w", str(desk.path), "subscribers", "import", str(path)]
    repo = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, *command], cwd=repo) as process:
        deadline = time.monotonic() + 60
        while not is_locked(desk) and time.monotonic() < deadline:
            time.sleep(0.01)
        # A second or two of work are before it, so it is in the middle now.
        time.sleep(0.3)
        assert process.poll() is None, "the import was over before it could be killed"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert desk.dump() == before
    assert desk.import_counts(path) == {"rows": 60_000, "added": 60_000}


def is_locked(desk: Desk) -> bool:
    connection = sqlite3.connect(desk.path / "newsletter.db", timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False


def test_a_read_only_database_is_one_sentence(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    path = desk.file("people.csv", "email\nben@example.org\n")
    engine = connect(f"sqlite:///file:{desk.path / 'newsletter.db'}?mode=ro&uri=true")
    ben = make_person("ben@example.org", names=Names(), language="", attributes={})
    rejected: list[Rejected] = []
    with pytest.raises(StoreError, match="read-only"):
        import_subscribers(
            engine,
            ImportOrder(path=path),
            secret_keys=[SECRET_KEY],
            now=NOW,
            on_rejected=rejected.append,
        )
    with pytest.raises(StoreError, match="read-only"):
        add_subscriber(
            engine, ben, list_slug="main", source="cli", now=NOW, secret_keys=[SECRET_KEY]
        )
    engine.dispose()
    assert len(desk.people()) == 1


def test_importing_with_update_merges_attributes_and_empty_cells_change_nothing(desk: Desk) -> None:
    desk.do(
        "subscribers", "add", "anna@example.org", "--name", "Anna Smith", "--language", "fr",
        "--set", "region=LAC", "--set", "role=mayor",
    )  # fmt: skip
    path = desk.file("people.csv", "email,name,lang,role,team\nanna@example.org,,,council,red\n")
    assert desk.import_counts(path) == {"rows": 1, "unchanged": 1}
    assert desk.import_counts(path, "--update") == {"rows": 1, "updated": 1}
    person = desk.person("anna@example.org")
    assert (person["name"], person["language"]) == ("Anna Smith", "fr")
    assert person["attributes"] == {"region": "LAC", "role": "council", "team": "red"}


def test_addresses_in_other_scripts_are_people_too(desk: Desk) -> None:
    content = "email\njörg@example.org\nJÖRG@EXAMPLE.ORG\nanna@münchen.example\n李@例え.jp\n"
    path = desk.file("people.csv", content)
    assert desk.import_counts(path) == {"rows": 4, "added": 3, "duplicates": 1}
    assert [person["email"] for person in desk.people()] == [
        "jörg@example.org",
        "anna@münchen.example",
        "李@例え.jp",
    ]
