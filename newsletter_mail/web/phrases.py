"""What the public pages say, in the reader's language."""

from dataclasses import dataclass
from functools import lru_cache

from newsletter_mail.phrases import phrase, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The phrases of one language, English by default.

    ``{name}`` is the newsletter, ``{address}`` a masked address.
    """

    leave_title: str = phrase("Unsubscribe")
    leave_text: str = phrase("Press the button, and {address} will no longer receive {name}.")
    leave_button: str = phrase("Unsubscribe")
    forwarded: str = phrase(
        "Was the message forwarded to you? Then close this page: the address is somebody else’s."
    )
    all_title: str = phrase("Your subscriptions")
    all_text: str = phrase("{address} receives:")
    all_button: str = phrase("Unsubscribe from all")
    left_title: str = phrase("You are unsubscribed")
    left_text: str = phrase("{address} no longer receives {name}.")
    undo_question: str = phrase("Was that a mistake?")
    undo_button: str = phrase("Subscribe again")
    back_title: str = phrase("Welcome back")
    back_text: str = phrase("{address} receives {name} as before.")
    test_title: str = phrase("This is a test message")
    test_text: str = phrase(
        "The link works. It came with a test message, so nothing changes for anybody."
    )
    unknown_title: str = phrase("This link does not work")
    unknown_text: str = phrase(
        "It may have been cut on its way. Open it again from the message, or copy the whole of it."
    )
    refused_title: str = phrase("Nothing has changed")
    refused_text: str = phrase(
        "Open the link from the message again, and use the button on the page."
    )
    busy_title: str = phrase("Please try again")
    busy_text: str = phrase(
        "We cannot save your wish just now, and nothing has changed. Please try again in a minute."
    )
    broken_title: str = phrase("Something went wrong on our side")
    broken_text: str = phrase("The error has been noted. Please try again later.")
    home_text: str = phrase("This is where the links of the newsletter lead.")


@lru_cache
def phrases_for(language: str) -> Phrases:
    """The phrases in a language, in its parent (``fr`` for ``fr-CA``), or else in English.

    Args:
        language: one that ``newsletter_mail.phrases.spoken`` gave.
    """
    return translated(Phrases(), language)
