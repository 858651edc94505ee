"""From a row of the database to what merge tags see. Pure."""

from sqlalchemy import RowMapping

from newsletter_mail.words import Recipient


def recipient_of(row: RowMapping) -> Recipient:
    """What merge tags see, from a row with the columns of a subscriber."""
    return Recipient(
        public_id=row["public_id"],
        email=row["email"],
        name=row["name"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        language=row["language"],
        attributes=row["attributes"],
    )
