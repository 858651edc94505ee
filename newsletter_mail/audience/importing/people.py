"""A row of a table as a person, or the reason why it is none. Pure."""

from dataclasses import dataclass

from newsletter_mail.audience.details import Names, Person, make_person
from newsletter_mail.audience.importing.columns import Columns, Field
from newsletter_mail.audience.importing.records import Record
from newsletter_mail.audience.spreadsheets import unguard
from newsletter_mail.errors import InputError, InvalidAddress
from newsletter_mail.words import SubscriptionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that was not taken.

    Attributes:
        line: the line of the file that the row starts on.
        email: what stands where the address should be.
        reason: why, in words.
    """

    line: int
    email: str
    reason: str


class PersonReader:
    """Makes persons of the rows of one table.

    Args:
        columns: of the table.
    """

    def __init__(self, columns: Columns) -> None:
        self._attributes = columns.attributes
        places = columns.places
        self._email = places[Field.EMAIL]
        self._state = places.get(Field.STATE)
        # A column that the file does not have is the empty cell that ``read`` puts at the end.
        self._name = places.get(Field.NAME, -1)
        self._first_name = places.get(Field.FIRST_NAME, -1)
        self._last_name = places.get(Field.LAST_NAME, -1)
        self._language = places.get(Field.LANGUAGE, -1)

    def read(self, record: Record) -> Person | Rejected | None:
        """One row.

        Returns:
            None where the row says itself that the person is not on the list.
        """
        if record.fault:
            email = "".join(record.fields[self._email : self._email + 1])
            return Rejected(line=record.line, email=email, reason=record.fault)
        fields = record.fields
        # A guarded cell is rare; looking for one in all cells at once is five times as fast.
        if "'" in "".join(fields):
            fields = [unguard(cell) for cell in fields]
        if self._state is not None and fields[self._state] != SubscriptionState.ACTIVE:
            return None
        email = fields[self._email].strip()
        fields.append("")
        try:
            if not email:
                return Rejected(line=record.line, email="", reason="the row has no address")
            return make_person(
                email,
                names=Names(
                    name=fields[self._name],
                    first_name=fields[self._first_name],
                    last_name=fields[self._last_name],
                ),
                language=fields[self._language],
                attributes={
                    key: fields[index]
                    for index, key in self._attributes
                    if fields[index] and not fields[index].isspace()
                },
            )
        except InvalidAddress as error:
            return Rejected(line=record.line, email=email, reason=f"not an address: {error.reason}")
        except InputError as error:
            return Rejected(line=record.line, email=email, reason=str(error))
