import pytest

from newsletter_mail.audience.importing.columns import Field, parse_mapping, plan_columns
from newsletter_mail.errors import InputError


@pytest.mark.parametrize(
    "title",
    ["email", "E-Mail", "EMAIL", "Email Address", "email_address", " Mail ", "E-mail-Adresse"],
)
def test_a_column_of_addresses_is_known_by_its_usual_titles(title: str) -> None:
    assert plan_columns(["x", title], {}).places[Field.EMAIL] == 1


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("Name", Field.NAME),
        ("full name", Field.NAME),
        ("First Name", Field.FIRST_NAME),
        ("firstname", Field.FIRST_NAME),
        ("FNAME", Field.FIRST_NAME),
        ("Prénom", Field.FIRST_NAME),
        ("Last_Name", Field.LAST_NAME),
        ("Lang", Field.LANGUAGE),
        ("locale", Field.LANGUAGE),
    ],
)
def test_the_other_fields_are_known_too(title: str, field: Field) -> None:
    columns = plan_columns(["email", title], {})
    assert columns.places[field] == 1
    assert columns.attributes == ()


def test_what_is_not_known_becomes_an_attribute_with_a_name_of_its_own() -> None:
    columns = plan_columns(["Region", "email", "Job Title", "region", "", "State"], {})
    assert columns.attributes == (
        (0, "region"),
        (2, "job_title"),
        (3, "region_2"),
        (4, "column_5"),
        (5, "state"),
    )
    assert Field.STATE not in columns.places


def test_our_own_export_is_recognised() -> None:
    header = ["email", "list", "state", "joined_at", "attributes.state", "attributes.email"]
    columns = plan_columns(header, {})
    assert columns.places == {Field.EMAIL: 0, Field.STATE: 2}
    assert columns.attributes == ((4, "state"), (5, "email"))


def test_the_mapping_is_stronger_than_the_title() -> None:
    mapping = parse_mapping(["contact=email", "NAME=attributes.nick", "junk=-"])
    columns = plan_columns(["Email", "Contact", "Name", "Junk"], mapping)
    assert columns.places == {Field.EMAIL: 1}
    assert columns.attributes == ((0, "email"), (2, "nick"))


def test_two_columns_of_addresses_are_not_guessed_between() -> None:
    with pytest.raises(InputError, match="'Email' and 'E-mail address' are both the email"):
        plan_columns(["Email", "E-mail address"], {})


def test_one_field_cannot_be_mapped_twice() -> None:
    with pytest.raises(InputError, match="both the email"):
        plan_columns(["a", "b"], {"a": "email", "b": "email"})


@pytest.mark.parametrize(
    ("column", "reason"),
    [("Contct", "did you mean 'Contact'"), ("zzz", "there are 'Contact', 'Name'")],
)
def test_a_mapped_column_that_is_not_there_is_named(column: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        plan_columns(["Contact", "Name"], {column: "email"})


@pytest.mark.parametrize("setting", ["email", "a=mail", "a=", "a=attributes.", "a=state"])
def test_a_mapping_typed_wrong_says_what_there_is(setting: str) -> None:
    with pytest.raises(InputError, match="write COLUMN=FIELD, where FIELD is one of email, name"):
        parse_mapping([setting])
