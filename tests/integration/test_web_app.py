"""Issues on the web, pictures, health, and what happens when something is wrong with us."""

import base64
import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import event, insert, text

from newsletter_mail.errors import ConfigError
from newsletter_mail.store.engine import connect, sqlite_path, writing
from newsletter_mail.store.schema import pictures
from newsletter_mail.web import app as app_module
from newsletter_mail.web.app import create_app
from tests.unit.web.world import NAME, ONE_CLICK, PICTURE, World, open_world, small_build


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


def test_an_issue_on_the_web(world: World) -> None:
    world.freeze(small_build(), small_build(language="fr"))
    page = world.request("GET", "/i/summer")
    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    assert "Dear friend, of ; !" in page.text
    assert f'src="../media/{PICTURE.name}"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "x-robots-tag" not in page.headers
    french = world.request("GET", "/i/summer/fr").text
    assert '<html lang="fr">' in french
    assert f'src="../../media/{PICTURE.name}"' in french


@pytest.mark.parametrize(
    "path",
    ["/i/winter", "/i/summer/xx", "/i/summer/", "/i/", "/i/..%2Fsummer", "/i/%00", "/nothing"],
)
def test_an_issue_that_is_not_there(world: World, path: str) -> None:
    world.freeze(small_build())
    assert world.request("GET", path).status_code == 404


def test_a_picture(world: World) -> None:
    world.freeze(small_build())
    answer = world.request("GET", f"/media/{PICTURE.name}")
    assert answer.status_code == 200
    assert answer.content == PICTURE.content
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = world.request(
        "GET", f"/media/{PICTURE.name}", headers={"If-None-Match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_only_pictures_are_served(world: World) -> None:
    name = "f" * 32 + ".html"
    with writing(world.engine) as connection:
        connection.execute(
            insert(pictures).values(name=name, media_type="text/html", content=b"<script>")
        )
    for path in (name, "0" * 32 + ".png", "..%2Fnewsletter.db", "x.png", PICTURE.name.upper()):
        answer = world.request("GET", f"/media/{path}")
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"


def test_the_first_page_names_the_newsletter_and_lists_nothing(world: World) -> None:
    world.freeze(small_build())
    page = world.request("GET", "/")
    assert page.status_code == 200
    assert NAME in page.text
    assert "summer" not in page.text


def test_the_policy_lets_in_the_style_of_the_page_and_no_other(world: World) -> None:
    page = world.request("GET", "/")
    styles = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert len(styles) == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in page.headers["content-security-policy"]
    assert " style=" not in page.text


@pytest.mark.parametrize("path", ["/u/x", "//evil.example/u/x", "/i/summer/", "/u"])
def test_nothing_redirects_and_no_host_is_believed(world: World, path: str) -> None:
    answer = world.request("GET", path, headers={"Host": "evil.example", "X-Forwarded-Host": "e"})
    assert answer.status_code == 404
    assert "evil" not in answer.text
    assert "location" not in answer.headers


def test_healthz(world: World) -> None:
    answer = world.request("GET", "/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_healthz_of_an_old_database(world: World) -> None:
    with writing(world.engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = world.request("GET", "/healthz")
    assert answer.status_code == 503
    assert answer.json() != {"status": "ok"}


def test_without_a_key_there_is_no_app(world: World) -> None:
    settings = world.settings.model_copy(update={"secret_key": SecretStr("")})
    with pytest.raises(ConfigError, match="NEWSLETTER_SECRET_KEY is not set"):
        create_app(settings, world.engine, clock=world.clock)


def be_impatient(world: World) -> None:
    """A connection of the app waits for a lock only 50 ms."""

    def shorten(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    world.engine.dispose()
    event.listen(world.engine, "connect", shorten)


def test_a_locked_database_is_503_and_the_next_try_counts(world: World) -> None:
    person = world.add_person()
    path = f"/u/{world.token(person)}"
    be_impatient(world)
    file = sqlite_path(world.engine)
    assert file is not None
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = world.request("POST", path, form=ONE_CLICK)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "nothing has changed" in answer.text
        # Who only looks does not wait for a writer.
        assert world.request("GET", path).status_code == 200
        other.execute("ROLLBACK")
    assert world.joined(person) == {"main"}
    assert world.request("POST", path, form=ONE_CLICK).status_code == 200
    assert world.joined(person) == set()


def break_database(world: World, how: str) -> None:
    file = sqlite_path(world.engine)
    assert file is not None
    world.engine.dispose()
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    match how:
        case "away":
            file.unlink()
            file.mkdir()
        case "another file":
            file.write_bytes(b"not a database, whatever it is called" * 200)
        case "empty":
            file.unlink()


@pytest.mark.parametrize("how", ["away", "another file", "empty"])
def test_a_broken_database_is_503(world: World, how: str) -> None:
    path = f"/u/{world.token(world.add_person())}"
    break_database(world, how)
    answers = [
        world.request("GET", path),
        world.request("POST", path, form=ONE_CLICK),
        world.request("GET", "/i/summer"),
        world.request("GET", f"/media/{PICTURE.name}"),
        world.request("GET", "/healthz"),
    ]
    assert [answer.status_code for answer in answers] == [503] * 5
    assert all("retry-after" in answer.headers for answer in answers[:4])
    assert not any("ada" in answer.text or "sqlite" in answer.text for answer in answers)


def test_a_server_that_does_not_answer_is_503(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world.add_person()
    before = world.engine

    def away(*_arguments: object, **_options: object) -> None:
        raise sqlite3.OperationalError("no such server")

    world.engine = connect(str(before.url))
    event.listen(world.engine, "do_connect", away)
    answer = world.request("POST", f"/u/{world.token(person)}", form=ONE_CLICK)
    world.engine = before
    assert answer.status_code == 503


def test_a_mistake_of_ours_is_a_page_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> httpx.Response:
        raise ZeroDivisionError("with secrets in it")

    monkeypatch.setattr(app_module, "health", fail)
    answer = world.request("GET", "/healthz")
    assert answer.status_code == 500
    assert "secrets" not in answer.text
    assert "Something went wrong on our side" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
