"""A frozen issue comes out of the database as it went in."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter_mail.delivery.editions import issue_digest, load_edition, load_issue
from newsletter_mail.errors import Conflict
from newsletter_mail.store.schema import pictures
from newsletter_mail.words import Hole, HoleContext, Pattern, Picture, PictureRef
from tests.unit.delivery.town import Town, make_build

# A database of text takes everything but half of a surrogate pair, which no file can hold.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
patterns: st.SearchStrategy[Pattern] = st.lists(
    st.one_of(
        texts,
        st.builds(Hole, texts, st.sampled_from(HoleContext)),
        st.builds(PictureRef, texts),
    ),
    max_size=6,
).map(tuple)


@settings(max_examples=30)
@given(patterns, patterns, patterns, texts)
def test_what_goes_in_comes_out(subject: Pattern, html: Pattern, text: Pattern, title: str) -> None:
    build = replace(make_build(), subject=subject, html=html, text=text, title=title)
    with Town() as town:
        town.freeze(build)
        assert town.look(lambda c: load_edition(c, "summer")) == build


def test_languages(town: Town) -> None:
    english = make_build(slug="winter", digest="11" * 32)
    french = make_build(slug="winter", language="fr", digest="22" * 32)
    brazilian = make_build(slug="winter", language="pt-BR", digest="33" * 32)
    builds = (english, french, brazilian)
    town.freeze(*builds)
    frozen = town.look(lambda c: load_issue(c, "winter"))
    assert frozen is not None
    assert frozen.digest == issue_digest(builds)
    assert dict(frozen.builds) == {"en": english, "fr": french, "pt-BR": brazilian}
    wanted = {"": "en", "en": "en", "fr-CA": "fr", "pt-BR": "pt-BR", "pt": "en", "de": "en"}
    assert {tag: frozen.build_for(tag).language for tag in wanted} == wanted
    assert town.look(lambda c: load_edition(c, "winter", "fr")) == french
    assert town.look(lambda c: load_edition(c, "winter", "de")) is None
    assert town.look(lambda c: load_edition(c, "autumn")) is None


def test_the_digest_of_an_issue() -> None:
    english, french = make_build(), make_build(language="fr")
    assert issue_digest([english]) == english.digest
    assert (
        len({issue_digest(builds) for builds in ([english], [french, english], [english, french])})
        == 3
    )


def test_an_issue_is_frozen_once(town: Town) -> None:
    with pytest.raises(Conflict, match="issue summer has been frozen already"):
        town.freeze()


def test_pictures_are_kept_once(town: Town) -> None:
    picture = Picture(name="0123.png", media_type="image/png", content=b"\x89PNG")
    town.freeze(
        replace(make_build(slug="a"), pictures=(picture,)),
        replace(make_build(slug="a", language="fr"), pictures=(picture,)),
    )
    town.freeze(replace(make_build(slug="b"), pictures=(picture,)))
    rows = town.look(lambda c: c.execute(select(pictures)).all())
    assert [tuple(row) for row in rows] == [("0123.png", "image/png", b"\x89PNG")]
