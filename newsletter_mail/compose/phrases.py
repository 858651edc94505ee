"""The words that the program itself puts into a mail, in the reader's language."""

from dataclasses import dataclass

from newsletter_mail.phrases import phrase, translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrases:
    """The built-in phrases in one language, English by default; ``why`` has ``{name}`` in it."""

    view_in_browser: str = phrase("View in your browser")
    why: str = phrase("You receive this message because you are subscribed to {name}.")
    unsubscribe: str = phrase("Unsubscribe")
    preferences: str = phrase("Change your preferences")
    when: str = phrase("When")
    where: str = phrase("Where")
    more: str = phrase("More information")
    picture: str = phrase("Picture")
    contents: str = phrase("In this issue")
    calendar: str = phrase("Add to your calendar")


def phrases_for(language: str) -> Phrases:
    """The phrases in a language, in its parent (``fr`` for ``fr-CA``), or else in English."""
    return translated(Phrases(), language)
