"""Which way a language is written."""

from functools import lru_cache

# Most issues; the other languages load Babel's data, which takes 50 ms.
_KNOWN = {"en": "ltr"}


@lru_cache(maxsize=256)
def direction_of(language: str) -> str:
    """``rtl`` or ``ltr``, for the ``dir`` of HTML, by the Unicode CLDR.

    Args:
        language: BCP 47 tag; its script counts: ``az-Arab`` is written from right to left.
    """
    primary = language.partition("-")[0].lower()
    if primary in _KNOWN:
        return _KNOWN[primary]
    from babel.core import Locale, UnknownLocaleError  # noqa: PLC0415

    for tag in (language, primary):
        try:
            return Locale.parse(tag, sep="-").text_direction
        except (UnknownLocaleError, ValueError):
            continue
    return "ltr"
