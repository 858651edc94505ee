"""An event with a date in numbers has a calendar file that calendars can read (RFC 5545)."""

from datetime import date, datetime, timedelta
from datetime import date as day
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.compose.blocks import Fence
from newsletter_mail.compose.calendar_files import CalendarWriter
from newsletter_mail.compose.marks import Marks
from newsletter_mail.words import Build, Picture
from tests.unit.compose.desk import BODY, Desk, filled, parsed, picture_names, visible_text


def _files(build: Build) -> list[Picture]:
    return [file for file in build.pictures if file.media_type == "text/calendar"]


def _event(content: bytes) -> Any:
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return event


def _compiled(desk: Desk, options: str, front: str = "subject: S") -> Build:
    return desk.compile(f"::: event {{{options}}}\nCome.\n:::", front)


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("2026-04-02", day(2026, 4, 2), None),
        ("2026-04-02 10:00", datetime(2026, 4, 2, 10), None),  # noqa: DTZ001  as on a poster
        ("2026-12-30/2026-12-31", day(2026, 12, 30), day(2027, 1, 1)),
    ],
)
def test_the_date_is_the_one_that_was_written(
    desk: Desk, written: str, start: date, end: date | None
) -> None:
    build = _compiled(desk, f'title="Open day" date="{written}" place="Town hall, Mardan"')
    (file,) = _files(build)
    event = _event(file.content)

    assert event["DTSTART"].dt == start
    assert (event["DTEND"].dt if "DTEND" in event else None) == end
    assert event["SUMMARY"] == "Open day"
    assert event["LOCATION"] == "Town hall, Mardan"


def test_an_hour_for_all_the_world_is_in_utc(desk: Desk) -> None:
    build = _compiled(desk, 'title=T date="2026-04-02 10:00 UTC"')
    (file,) = _files(build)

    assert _event(file.content)["DTSTART"].dt.utcoffset() == timedelta(0)
    assert b"DTSTART:20260402T100000Z\r\n" in file.content
    assert "AM UTC" in visible_text(build)


def test_html_and_text_lead_to_the_file(desk: Desk) -> None:
    build = _compiled(desk, 'title=T date=2026-04-02 link="https://example.org/a"')
    (file,) = _files(build)
    links = [a.attrib["href"] for a in parsed(build).iter("a")]

    assert file.name in links
    assert f"Add to your calendar: {file.name}\n" in filled(build.text)
    assert picture_names(build.html) == [file.name]
    assert _event(file.content)["URL"] == "https://example.org/a"


@pytest.mark.parametrize(
    ("options", "front"),
    [
        ('title=T date="2 April"', "subject: S"),
        ("title=T date=2026-04-02", "subject: S\npictures: embed"),
        ('title="For {{ subscriber.email }}" date=2026-04-02', "subject: S"),
        ("title=T date=9999-12-31/9999-12-31", "subject: S"),
    ],
)
def test_there_is_no_file_where_there_can_be_none(desk: Desk, options: str, front: str) -> None:
    build = _compiled(desk, options, front)

    assert _files(build) == []
    assert "Add to your calendar" not in filled(build.html) + filled(build.text)


def test_a_date_that_there_is_not_is_an_error_and_no_file(desk: Desk) -> None:
    assert desk.findings("::: event {title=T date=2026-02-30}\nx\n:::") == [
        (BODY, "there is no date 2026-02-30")
    ]


def test_a_corrected_event_takes_the_place_of_the_first(desk: Desk) -> None:
    first, moved = (
        _event(_files(_compiled(desk, f"title={title} date={written}"))[0].content)
        for title, written in (("A", "2026-04-02"), ("B", "2026-04-03"))
    )
    two = desk.compile(
        "::: event {title=A date=2026-04-02}\n:::\n\n"
        ":::: columns\n::: column\ntext\n:::\n::::\n\n::: event {title=A date=2026-04-02}\n:::"
    )

    assert first["UID"] == moved["UID"]
    assert len({str(_event(file.content)["UID"]) for file in _files(two)}) == 2


@given(
    title=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1),
    place=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])),
)
def test_any_words_come_back(title: str, place: str) -> None:
    writer = CalendarWriter(
        marks=Marks(title + place), newsletter_name="N", language="en", source="spring"
    )
    options = {"title": title, "place": place}
    writer.blocks([Fence(line=1, name="event", options=options, date="2026-04-02 10:00")])
    (file,) = writer.made
    event = _event(file.content)

    assert str(event["SUMMARY"]) == title
    assert str(event.get("LOCATION", "")) == place
    assert all(len(line) <= 75 for line in file.content.split(b"\r\n"))
    assert b"\n" not in file.content.replace(b"\r\n", b"")
