"""Made-up people for the demo: names in many scripts, addresses at example.org. Pure."""

from collections.abc import Iterator

_NAMES = (
    ("Ana", "Silva", "pt", "São Paulo"),
    ("Amina", "El Idrissi", "fr", "Casablanca"),
    ("Björn", "Ångström", "en", "Malmö"),
    ("Chloé", "Lefèvre", "fr", "Paris"),
    ("Daniel", "O’Brien", "en", "Cork"),
    ("Ελένη", "Παπαδοπούλου", "en", "Athens"),
    ("Farah", "Khan", "en", "Mardan"),
    ("José", "Núñez", "es", "Godoy Cruz"),
    ("Ольга", "Іваненко", "en", "Lviv"),
    ("محمد", "الهاشمي", "ar", "Amman"),
    ("Wanjiru", "Mwangi", "en", "Nairobi"),
    ("美咲", "佐藤", "en", "Sendai"),
    ("Zoë", "van den Berg", "en", "Utrecht"),
    # Some people give no name; the greeting has a word for them.
    ("", "", "en", ""),
)


def made_up_people(count: int) -> Iterator[dict[str, str]]:
    """So many people, always the same, each with an address of their own."""
    for number in range(count):
        first, last, language, city = _NAMES[number % len(_NAMES)]
        yield {
            "email": f"reader.{number:03}@example.org",
            "first_name": first,
            "last_name": last,
            "language": language,
            "city": city,
        }
