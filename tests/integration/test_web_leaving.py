"""The pages behind the links in a mail, on a real SQLite file."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from newsletter_mail.audience.subscriptions import unsubscribe
from newsletter_mail.store.engine import writing
from newsletter_mail.store.schema import subscribers
from newsletter_mail.tokens import Grant, Purpose, Tokens
from tests.unit.web.world import KEY, NAME, ONE_CLICK, World, open_world, small_build

LEAVE = {"action": "unsubscribe"}
UNDO = {"action": "undo"}
MULTIPART = {"List-Unsubscribe": (None, "One-Click")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as made:
        yield made


def assert_secured(answer: httpx.Response) -> None:
    policy = answer.headers["content-security-policy"]
    for directive in (
        "default-src 'none'",
        "img-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert directive in policy
    assert "script-src" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    assert not answer.has_redirect_location


def test_the_page_shows_who_and_what_and_changes_nothing(world: World) -> None:
    person = world.add_person("ada.lovelace@example.org")
    before = world.dump()
    answer = world.request("GET", f"/u/{world.token(person)}")
    assert answer.status_code == 200
    assert "a•••@e•••.org" in answer.text
    assert "lovelace" not in answer.text
    assert NAME in answer.text
    assert '<form method="post">' in answer.text
    assert 'value="unsubscribe"' in answer.text
    assert "<script" not in answer.text
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert_secured(answer)
    assert world.dump() == before


def test_a_scanner_that_follows_everything_twice_changes_nothing(world: World) -> None:
    world.freeze(small_build())
    person = world.add_person()
    world.deliver("summer", person)
    paths = [
        f"/u/{world.token(person)}",
        f"/p/{world.token(person, purpose=Purpose.PREFERENCES)}",
        f"/u/{world.token(person)}?action=unsubscribe&List-Unsubscribe=One-Click",
        "/i/summer",
        "/i/summer/en",
        f"/media/{small_build().pictures[0].name}",
        "/healthz",
        "/",
    ]
    before = world.dump()
    for path in paths * 2:
        assert world.request("GET", path).status_code == 200
        assert world.request("HEAD", path).status_code == 200
        prefetch = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender"}
        assert world.request("GET", path, headers=prefetch).status_code == 200
        assert world.request("OPTIONS", path).status_code in (204, 405)
    assert world.dump() == before


def test_options_says_which_methods_there_are(world: World) -> None:
    answer = world.request("OPTIONS", f"/u/{world.token(world.add_person())}")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert_secured(answer)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(world: World, method: str) -> None:
    person = world.add_person()
    answer = world.request(method, f"/u/{world.token(person)}", form=ONE_CLICK)
    assert answer.status_code == 405
    assert world.joined(person) == {"main"}
    assert_secured(answer)


async def in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for position in range(0, len(content), 7):
        yield content[position : position + 7]


BOUNDARY_BODY = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)
URLENCODED = "application/x-www-form-urlencoded"

ONE_CLICKS: dict[str, Callable[[World, str], httpx.Response]] = {
    "urlencoded": lambda world, path: world.request("POST", path, form=ONE_CLICK),
    "multipart": lambda world, path: world.request("POST", path, files=MULTIPART),
    "urlencoded, with a charset": lambda world, path: world.request(
        "POST",
        path,
        headers={"Content-Type": f"{URLENCODED}; charset=UTF-8"},
        content=b"List-Unsubscribe=One-Click",
    ),
    "multipart, with a charset": lambda world, path: world.request(
        "POST",
        path,
        headers={"Content-Type": 'Multipart/Form-Data; charset=utf-8; boundary="b"'},
        content=BOUNDARY_BODY,
    ),
    "with other fields": lambda world, path: world.request(
        "POST", path, form={"x": "y", **ONE_CLICK, "z": ""}
    ),
    "multipart, with other fields": lambda world, path: world.request(
        "POST", path, files={"x": (None, "y"), **MULTIPART}
    ),
    "chunked": lambda world, path: world.request(
        "POST",
        path,
        headers={"Content-Type": URLENCODED},
        content=in_pieces(b"a=b&List-Unsubscribe=One-Click"),
    ),
    "multipart, chunked": lambda world, path: world.request(
        "POST",
        path,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
        content=in_pieces(BOUNDARY_BODY),
    ),
    "without a type": lambda world, path: world.request(
        "POST", path, content=b"List-Unsubscribe=One-Click"
    ),
    "a body of 10 MB": lambda world, path: world.request(
        "POST",
        path,
        headers={"Content-Type": URLENCODED},
        content=b"List-Unsubscribe=One-Click&x=" + b"y" * 10_000_000,
    ),
    "multipart, of 10 MB": lambda world, path: world.request(
        "POST", path, files={**MULTIPART, "x": (None, "y" * 10_000_000)}
    ),
}


@pytest.mark.parametrize("post", ONE_CLICKS.values(), ids=ONE_CLICKS.keys())
def test_one_click_leaves_at_once(
    world: World, post: Callable[[World, str], httpx.Response]
) -> None:
    person, other = world.add_person(), world.add_person("bob@example.org")
    answer = post(world, f"/u/{world.token(person)}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert len(answer.text) < 100
    assert_secured(answer)
    assert world.joined(person) == set()
    assert world.joined(other) == {"main"}
    assert world.consent(person) == [("left", "main", "one-click summer")]


def test_leaving_twice_says_the_same(world: World) -> None:
    person = world.add_person()
    path = f"/u/{world.token(person)}"
    answers = [world.request("POST", path, form=ONE_CLICK) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    pages = [world.request("POST", path, form=LEAVE) for _ in range(2)]
    assert [page.status_code for page in pages] == [200, 200]
    assert pages[0].text == pages[1].text
    assert len(world.consent(person)) == 1


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (URLENCODED, b""),
        (URLENCODED, b"List-Unsubscribe=No"),
        (URLENCODED, b"list-unsubscribe=one-click"),
        (URLENCODED, b"action=subscribe"),
        (URLENCODED, b"x=" + b"y" * 70_000 + b"&List-Unsubscribe=One-Click"),
        ("text/plain", b"List-Unsubscribe=One-Click"),
        ("application/json", b'{"List-Unsubscribe": "One-Click"}'),
        ("application/octet-stream", b"List-Unsubscribe=One-Click"),
        ("multipart/form-data", BOUNDARY_BODY),
        ("multipart/form-data; boundary=c", BOUNDARY_BODY),
        ("multipart/form-data; boundary=b", BOUNDARY_BODY[:60]),
        ("multipart/mixed; boundary=b", BOUNDARY_BODY),
        ("x" * 2000, b"List-Unsubscribe=One-Click"),
    ],
)
def test_a_post_that_does_not_say_so_changes_nothing(
    world: World, media_type: str, body: bytes
) -> None:
    person = world.add_person()
    before = world.dump()
    answer = world.request(
        "POST", f"/u/{world.token(person)}", headers={"Content-Type": media_type}, content=body
    )
    assert answer.status_code == 400
    assert_secured(answer)
    assert world.dump() == before


def test_leave_and_take_it_back_by_the_buttons(world: World) -> None:
    person = world.add_person()
    path = f"/u/{world.token(person)}"
    left = world.request("POST", path, form=LEAVE)
    assert left.status_code == 200
    assert "You are unsubscribed" in left.text
    assert 'value="undo"' in left.text
    assert world.joined(person) == set()
    # Who comes by the link again sees how it stands, and can still take it back.
    assert world.request("GET", path).text == left.text
    back = world.request("POST", path, form=UNDO)
    assert back.status_code == 200
    assert "Welcome back" in back.text
    assert world.joined(person) == {"main"}
    assert world.request("POST", path, form=UNDO).text == back.text
    assert world.consent(person) == [
        ("left", "main", "page summer"),
        ("undone", "main", "page summer"),
    ]


def test_a_link_leaves_the_list_that_its_issue_came_by(world: World) -> None:
    world.add_list("board", "Board members")
    world.freeze(small_build())
    person = world.add_person(on=("main", "board"))
    world.deliver("summer", person, by="board")
    path = f"/u/{world.token(person)}"
    page = world.request("GET", path).text
    assert "Board members" in page
    world.request("POST", path, form=LEAVE)
    assert world.joined(person) == {"main"}
    world.request("POST", path, form=UNDO)
    assert world.joined(person) == {"main", "board"}


def test_a_link_whose_issue_is_not_in_the_log_leaves_every_list(world: World) -> None:
    world.add_list("board", "Board members")
    person = world.add_person(on=("main", "board"))
    path = f"/u/{world.token(person)}"
    page = world.request("GET", path).text
    assert f"<li><bdi>{NAME}</bdi></li>" in page
    assert "<li><bdi>Board members</bdi></li>" in page
    world.request("POST", path, form=ONE_CLICK)
    assert world.joined(person) == set()
    world.request("POST", path, form=UNDO)
    assert world.joined(person) == {"main", "board"}


def test_undo_takes_back_only_what_this_link_left(world: World) -> None:
    world.add_list("board", "Board members")
    person = world.add_person(on=("main", "board"))
    unsubscribe(world.engine, person.row, list_slugs=["board"], source="cli", now=world.clock())
    path = f"/u/{world.token(person)}"
    world.request("POST", path, form=LEAVE)
    other_issue = f"/u/{world.token(person, issue='winter')}"
    assert 'value="undo"' not in world.request("POST", other_issue, form=UNDO).text
    assert world.joined(person) == set()
    world.request("POST", path, form=UNDO)
    assert world.joined(person) == {"main"}


def test_preferences_show_the_lists_and_leave_them_all(world: World) -> None:
    world.add_list("board", "Board <members>")
    world.freeze(small_build())
    person = world.add_person(on=("main", "board"))
    world.deliver("summer", person, by="board")
    path = f"/p/{world.token(person, purpose=Purpose.PREFERENCES)}"
    page = world.request("GET", path)
    assert f"<li><bdi>{NAME}</bdi></li>" in page.text
    assert "<li><bdi>Board &lt;members&gt;</bdi></li>" in page.text
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    world.request("POST", path, form=LEAVE)
    assert world.joined(person) == set()
    world.request("POST", path, form=UNDO)
    assert world.joined(person) == {"main", "board"}


@pytest.mark.parametrize("public_id", [None, "somebody-else"])
def test_a_test_message_changes_nothing(world: World, public_id: str | None) -> None:
    person = world.add_person()
    if public_id is not None:
        with writing(world.engine) as connection:
            connection.execute(update(subscribers).values(public_id=public_id))
    before = world.dump()
    path = f"/u/{world.token(person, is_test=True)}"
    for answer in (
        world.request("GET", path),
        world.request("POST", path, form=ONE_CLICK),
        world.request("POST", path, files=MULTIPART),
        world.request("POST", path, form=LEAVE),
        world.request("POST", path, form=UNDO),
    ):
        assert answer.status_code == 200
        assert "This is a test message" in answer.text
        assert_secured(answer)
    assert world.dump() == before


def bad_tokens(world: World) -> list[str]:
    """Tokens that grant nothing, each for another reason."""
    person, erased = world.add_person(), world.add_person("gone@example.org")
    token, erased_token = world.token(person), world.token(erased)
    with writing(world.engine) as connection:
        connection.execute(
            update(subscribers)
            .where(subscribers.c.id == erased.row)
            .values(email=None, email_key=None, erased_at=world.clock())
        )
    grant = Grant(person.public_id, "summer")
    return [
        erased_token,
        token[:-1],
        token[:20],
        token + "A",
        "." + token,
        token.swapcase(),
        token.partition(".")[0] + "." + erased_token.partition(".")[2],
        Tokens(["a-key-of-somebody-else"]).sign(Purpose.UNSUBSCRIBE, grant),
        world.tokens.sign(Purpose.PREFERENCES, grant),
        world.tokens.sign(Purpose.UNSUBSCRIBE, Grant("nobody-has-this-id-000", "summer")),
        world.tokens.sign(Purpose.UNSUBSCRIBE, Grant("ada@example.org", "summer")),
        "x" * 16,
        "x" * 512,
        "x" * 5000,
        "x",
        "%00",
        "%F0%9F%92%A9" * 10,
        "..%2F..%2Fetc%2Fpasswd",
        "%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        person.public_id,
        "",
    ]


def test_every_bad_token_gets_the_same_page(world: World) -> None:
    tokens = bad_tokens(world)
    before = world.dump()
    pages = set()
    for token in tokens:
        for answer in (
            world.request("GET", f"/u/{token}"),
            world.request("POST", f"/u/{token}", form=ONE_CLICK),
            world.request("POST", f"/u/{token}", files=MULTIPART),
            world.request("POST", f"/u/{token}", form=LEAVE),
            world.request("POST", f"/u/{token}", form=UNDO),
        ):
            assert answer.status_code == 404, token
            assert_secured(answer)
            assert answer.headers["x-robots-tag"] == "noindex, nofollow"
            pages.add(answer.text)
    assert len(pages) == 1
    assert "This link does not work" in pages.pop()
    assert world.dump() == before


URL_CHARACTERS = st.characters(
    codec="ascii", exclude_characters="?#/\\%", exclude_categories=["Cc"]
)


def test_no_forged_token_changes_anything_or_breaks_the_page(world: World) -> None:
    person = world.add_person("ada.lovelace@example.org")
    good = world.token(person)

    @settings(max_examples=80, deadline=None)
    @given(
        st.sampled_from("up"),
        st.integers(0, len(good)),
        st.integers(0, 8),
        st.text(URL_CHARACTERS, max_size=8),
    )
    def forge(purpose: str, start: int, length: int, inserted: str) -> None:
        token = good[:start] + inserted + good[start + length :]
        if (purpose, token) == ("u", good):
            return
        before = world.dump()
        for form in (None, ONE_CLICK, LEAVE, UNDO):
            method = "GET" if form is None else "POST"
            answer = world.request(method, f"/{purpose}/{token}", form=form)
            assert answer.status_code == 404
            assert "lovelace" not in answer.text
        assert world.dump() == before

    forge()


@pytest.mark.parametrize(
    ("language", "title", "tag"),
    [
        ("fr-CA", "Se désabonner", 'lang="fr-CA" dir="ltr"'),
        ("es", "Darse de baja", 'lang="es" dir="ltr"'),
        ("ar", "إلغاء الاشتراك", 'lang="ar" dir="rtl"'),
        ("tlh", "Abbestellen", 'lang="de" dir="ltr"'),
        ("", "Abbestellen", 'lang="de" dir="ltr"'),
    ],
)
def test_the_page_speaks_the_language_of_the_subscriber(
    tmp_path: Path, language: str, title: str, tag: str
) -> None:
    with open_world(tmp_path, language="de") as world:
        person = world.add_person(language=language)
        page = world.request("GET", f"/u/{world.token(person)}").text
    assert f"<h1>{title}</h1>" in page
    assert f"<html {tag}>" in page


def test_a_name_is_never_markup(tmp_path: Path) -> None:
    with open_world(tmp_path, name="<b>{address}</b> & co") as world:
        person = world.add_person("<i@e.org")
        page = world.request("GET", f"/u/{world.token(person)}").text
    assert "<b>" not in page
    assert "&lt;b&gt;{address}&lt;/b&gt; &amp; co" in page
    assert "&lt;•••@e•••.org" in page


def test_old_keys_still_open_links(world: World) -> None:
    person = world.add_person()
    token = world.token(person)
    world.settings = world.settings.model_copy(
        update={"secret_key": type(world.settings.secret_key)(f"a-newer-secret-key,{KEY}")}
    )
    assert world.request("POST", f"/u/{token}", form=ONE_CLICK).status_code == 200
    assert world.joined(person) == set()
