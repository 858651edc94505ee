import email
import json
from email.policy import default
from pathlib import Path

import pytest

from tests.integration.people import Desk

FRONT = "---\nsubject: Hello\n---\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.make(tmp_path / "workspace")


def _issue(desk: Desk, content: str | bytes, slug: str = "spring", name: str = "issue.md") -> None:
    (desk.path / "issues" / slug).mkdir(parents=True, exist_ok=True)
    desk.file(f"issues/{slug}/{name}", content)


def _is_untouched(desk: Desk) -> bool:
    return {path.name for path in desk.path.iterdir()} == {"newsletter.toml", ".env", "issues"}


def test_a_build_is_four_files_for_each_language(desk: Desk) -> None:
    _issue(desk, FRONT + "Text {{ subscriber.first_name | default('friend') }} é.")
    _issue(desk, "---\nsubject: Bonjour\n---\nTexte.", name="issue.fr.md")
    out = desk.path / "out"
    ended = desk.do("build", "spring", "--out", out)
    assert ended.out.splitlines() == [
        str(out / "spring" / "en" / "index.html"),
        str(out / "spring" / "fr" / "index.html"),
    ]
    files = {path.name for path in (out / "spring" / "en").iterdir() if path.is_file()}
    assert files == {"index.html", "message.txt", "message.eml", "build.json"}
    assert "Text friend é." in (out / "spring" / "en" / "message.txt").read_text(encoding="utf-8")
    assert "Texte." in (out / "spring" / "fr" / "message.txt").read_text(encoding="utf-8")


def test_a_build_goes_to_the_folder_build_of_where_one_is(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _issue(desk, FRONT + "Text.")
    monkeypatch.chdir(tmp_path)
    assert desk.do("build", "spring").out == "build/spring/en/index.html\n"
    assert (tmp_path / "build" / "spring" / "en" / "message.eml").is_file()


def test_the_files_say_the_same(desk: Desk) -> None:
    _issue(desk, FRONT + "Text é for {{ subscriber.email }}.")
    folder = desk.path / "out" / "spring" / "en"
    desk.do("build", "spring", "--out", desk.path / "out")
    facts = json.loads((folder / "build.json").read_text(encoding="utf-8"))
    assert set(facts) == {
        *("issue", "language", "title", "subject", "digest", "html_bytes", "pictures", "made_by")
    }
    assert (facts["issue"], facts["language"], facts["subject"]) == ("spring", "en", "Hello")
    assert facts["html_bytes"] == (folder / "index.html").stat().st_size

    raw = (folder / "message.eml").read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    message = email.message_from_bytes(raw, policy=default)
    assert message["Subject"] == "Hello"
    plain, page = message.iter_parts()
    assert not any(part.defects for part in (message, plain, page))
    text = plain.get_content().replace("\r\n", "\n")
    assert text.strip() == (folder / "message.txt").read_text("utf-8").strip()
    assert "Text é for reader@example.org." in page.get_content()


def test_the_same_issue_has_the_same_digest_again(desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    digests = []
    for name in ("one", "two"):
        desk.do("build", "spring", "--out", desk.path / name)
        facts = json.loads((desk.path / name / "spring" / "en" / "build.json").read_text())
        digests.append(facts["digest"])
    assert digests[0] == digests[1]


def test_a_build_is_filled_for_a_subscriber(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org", "--name", "<b>Anna & {{ 7*7 }}")
    _issue(desk, FRONT + "Dear {{ subscriber.name }}")
    desk.do("build", "spring", "--out", desk.path / "out", "--as", "ANNA@example.org")
    folder = desk.path / "out" / "spring" / "en"
    assert "Dear <b>Anna & {{ 7*7 }}" in (folder / "message.txt").read_text()
    assert "Dear &lt;b&gt;Anna &amp; {{ 7*7 }}" in (folder / "index.html").read_text()
    message = email.message_from_bytes((folder / "message.eml").read_bytes(), policy=default)
    assert message["To"].addresses[0].addr_spec == "anna@example.org"


def test_a_subscriber_who_is_not_there_is_a_sentence(desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    ended = desk.run("build", "spring", "--out", desk.path / "out", "--as", "nobody@example.org")
    assert (ended.code, ended.out) == (2, "")
    assert "nobody@example.org" in ended.err
    assert not (desk.path / "out").exists()


def test_a_tag_without_default_is_shown_as_for_somebody(desk: Desk) -> None:
    _issue(desk, FRONT + "Dear {{ subscriber.first_name }}")
    ended = desk.do("build", "spring", "--out", desk.path / "out")
    assert "{{ subscriber.first_name }} has no value and no default" in ended.err
    assert "Shown as for Alex Reader" in ended.err
    assert "Dear Alex" in (desk.path / "out" / "spring" / "en" / "message.txt").read_text()


def test_a_tag_without_value_for_a_subscriber_is_a_sentence(desk: Desk) -> None:
    desk.do("subscribers", "add", "anna@example.org")
    _issue(desk, FRONT + "Dear {{ subscriber.first_name }}")
    ended = desk.run("build", "spring", "--out", desk.path / "out", "--as", "anna@example.org")
    assert (ended.code, ended.out) == (2, "")
    assert 'write {{ subscriber.first_name | default("…") }}' in ended.err
    assert not (desk.path / "out").exists()


@pytest.mark.parametrize(
    ("issue", "sentence"),
    [
        ("sprng", "there is no issue sprng; did you mean spring?"),
        ("zzz", "there are: spring"),
        ("../spring", "there is no issue ../spring"),
        ("/etc/passwd", "there is no issue /etc/passwd"),
        ("", "there is no issue"),
    ],
)
def test_an_issue_that_is_not_there_is_a_sentence(issue: str, sentence: str, desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    ended = desk.run("build", issue)
    assert (ended.code, ended.out) == (2, "")
    assert sentence in ended.err


def test_a_place_that_cannot_be_written_is_a_sentence(desk: Desk) -> None:
    _issue(desk, FRONT + "Text.")
    target = desk.file("taken", "mine")
    ended = desk.run("build", "spring", "--out", target)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"Error: {target / 'spring' / 'en'} cannot be written: Not a directory\n"
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (
            "---\nsubjekt: Hello\npreheader: [a]\n---\nText.",
            [
                ":1: the subject is missing",
                ":2: unknown key subjekt; did you mean subject?",
                ":3: preheader must be a text",
            ],
        ),
        (
            FRONT + "Dear {{ subscriber.frist_name }}\n\n![A picture](../../etc/passwd)\n\n"
            "::: calout\nx\n:::\n\n[a](javascript:alert)\n",
            [
                ":4: {{ subscriber.frist_name }}: there is no subscriber.frist_name; did you mean",
                ":6: ",
                ":8: ",
                ":12: ",
            ],
        ),
    ],
    ids=["front matter", "body"],
)
def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(
    content: str, sentences: list[str], desk: Desk
) -> None:
    _issue(desk, content)
    ended = desk.run("build", "spring", "--out", desk.path / "out")
    assert (ended.code, ended.out) == (2, "")
    lines = ended.err.splitlines()
    assert len(lines) == len(sentences)
    for line, sentence in zip(lines, sentences, strict=True):
        assert line.startswith(f"Error: issues/spring/issue.md{sentence}")
    assert _is_untouched(desk)


@pytest.mark.parametrize(
    ("content", "line", "sentence"),
    [
        (FRONT + "One.\n\n![A picture](../../etc/passwd)", 6, "../../etc/passwd"),
        (FRONT + "One.\n\n![A picture](/etc/passwd)", 6, "/etc/passwd"),
        (FRONT + "One.\n\n![A picture](none.png)", 6, "none.png"),
        (FRONT + "One {{ 7*7 }}", 4, "it may have names, texts, filters"),
        (FRONT + "One\n\n{% import os %}", 6, "{% is not allowed here"),
        (FRONT + "One {{ ''.__class__ }}", 4, "is not a merge tag"),
        (FRONT + "One {{ subscriber.__class__ }}", 4, "there is no subscriber.__class__"),
        (FRONT + "{{ " + "(" * 300 + " }}", 4, "a merge tag has 300 letters at most"),
        (FRONT + "{{ " + "x" * 3000 + " }}", 4, "a merge tag has 300 letters at most"),
        ("---\nsubject: Hello {{ 7*7 }}\n---\nText.", 2, "it may have names"),
        ("---\nsubject: {% import os %}\n---\nText.", 2, ""),
        (FRONT + "One.\n\n<script>alert(1)</script>\n", 6, "<"),
        (FRONT.encode() + b"Caf\xe9", 4, "is not UTF-8 text (byte 27)"),
        (FRONT + "\0", 4, "control character (U+0000)"),
        (FRONT + "x" * 10_000_000, None, "the file has 10.0 MB"),
        ("", 1, "must begin with its front matter"),
        ("---\nsubject: !!python/object:os.system x\n---\n", 2, "subject must be a text"),
    ],
    ids=lambda one: str(one)[:40],
)
@pytest.mark.parametrize("command", ["build", "check"])
def test_a_hostile_issue_is_refused_with_its_line(
    command: str, content: str | bytes, line: int | None, sentence: str, desk: Desk
) -> None:
    _issue(desk, content)
    ended = desk.run(command, "spring")
    place = "issues/spring/issue.md:" if line is None else f"issues/spring/issue.md:{line}: "
    # A check has done what it was asked for, and found an error.
    code, said = (2, ended.err) if command == "build" else (1, ended.out)
    assert ended.code == code
    assert place in said
    assert sentence in said
    assert "Traceback" not in ended.err
    assert all(len(one) < 2_000 for one in said.splitlines())
    assert command == "check" or _is_untouched(desk)


def test_a_picture_that_is_a_link_to_elsewhere_is_refused(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    _issue(desk, FRONT + "![A picture](a.png)")
    (desk.path / "issues" / "spring" / "a.png").symlink_to(tmp_path / "secret.png")
    ended = desk.run("build", "spring")
    assert ended.code == 2
    assert "issues/spring/issue.md:4: " in ended.err
