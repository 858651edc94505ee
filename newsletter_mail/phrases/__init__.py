"""What the program itself says to readers, in their language.

English stands in the code, marked with ``phrase``; every other language is a gettext catalogue,
``locale/LANGUAGE/LC_MESSAGES/newsletter.po``, read as it is. ``docs/make_catalogues.py`` puts new
phrases into all of them.
"""

from newsletter_mail.phrases.catalogue import languages, phrase, spoken, translate, translated
from newsletter_mail.phrases.dates import NoSuchDate, localised_date
from newsletter_mail.phrases.direction import direction_of

__all__ = [
    "NoSuchDate",
    "direction_of",
    "languages",
    "localised_date",
    "phrase",
    "spoken",
    "translate",
    "translated",
]
