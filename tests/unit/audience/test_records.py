import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter_mail.audience.importing.records import (
    MAX_FIELD_LENGTH,
    MAX_FIELDS,
    MAX_RECORD_LENGTH,
    read_records,
)


def lines_and_faults(text: str) -> list[tuple[int, list[str], str]]:
    stream = io.StringIO(text, newline="")
    return [(line, fields, fault) for line, fields, fault in read_records(stream, ",")]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8"), max_size=6), min_size=2, max_size=4).filter(
            any
        ),
        max_size=5,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_whatever_the_csv_module_writes_is_read_back(rows: list[list[str]], end: str) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    stream.seek(0)
    records = list(read_records(stream, ","))
    assert [record.fields for record in records] == rows
    assert not any(record.fault for record in records)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_record_has_the_line_that_it_starts_on(end: str) -> None:
    text = end.join(["a,b", "", f'c,"d{end}e"', ",", "f,g"])
    assert [(line, fields) for line, fields, _ in lines_and_faults(text)] == [
        (1, ["a", "b"]),
        (3, ["c", f"d{end}e"]),
        (6, ["f", "g"]),
    ]


def test_a_broken_quote_costs_its_own_record_and_is_named() -> None:
    text = 'a,b\nc,"d "e" f"\ng,h\ni,"j\nk,l\n'
    assert lines_and_faults(text) == [
        (1, ["a", "b"], ""),
        (2, [], 'a quoted field goes on after its closing quote; a quote inside is written ""'),
        (3, ["g", "h"], ""),
        (4, [], "a quote that opens in this row is never closed; lines 4 to 5 are left out"),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"a,{'x' * (MAX_FIELD_LENGTH + 1)}", "a field is 65537 characters long"),
        ("," * MAX_FIELDS + "a", "the row has 501 fields; 500 are allowed"),
        (f"a,{'x' * MAX_RECORD_LENGTH * 3}", "the row is longer than 1024 KB"),
        (
            'a,"' + "x,\n" * MAX_RECORD_LENGTH + '"',
            "the row is longer than 1024 KB; lines 2 to 1048578 are left out",
        ),
        (f'a,"{"x" * MAX_FIELD_LENGTH}\n"', "a field is 65537 characters long; 65536 are allowed"),
    ],
    ids=["field", "fields", "line", "quoted", "field over lines"],
)
def test_what_is_too_large_costs_its_own_record(row: str, reason: str) -> None:
    records = lines_and_faults(f"first,1\n{row}\nlast,2\n")
    assert [record[1] for record in records] == [["first", "1"], [], ["last", "2"]]
    assert records[1][2].startswith(reason)
    assert records[1][0] == 2


@given(st.text('a",;\n\r', max_size=60))
def test_no_text_ends_the_stream_with_an_error(text: str) -> None:
    numbers = [line for line, _, _ in lines_and_faults(text)]
    assert numbers == sorted(set(numbers))
