import json
import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from newsletter_mail.audience.importing.loading import json_of, public_ids
from newsletter_mail.store.inserting import BulkInsert
from newsletter_mail.store.schema import lists


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_attributes_are_written_as_json_writes_them(texts: dict[str, str]) -> None:
    assert json_of(texts) == json.dumps(texts)


def test_public_ids_are_all_different_and_use_every_letter() -> None:
    ids = list(islice(public_ids(), 40_000))
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[\w-]{22}", one, re.ASCII) for one in ids)
    assert {len({one[place] for one in ids}) for place in range(22)} == {64}


def test_columns_of_a_bulk_insert_cannot_change_places() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(ValueError, match="the order of the table"):
        BulkInsert(connection, lists, ["name", "slug"])
    engine.dispose()
