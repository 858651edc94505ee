"""Made-up people, as a CSV that a newsletter could have."""

import csv
import random
from pathlib import Path

COLUMNS = ("email", "first_name", "last_name", "language", "city")
#: The first row: words that stand nowhere else, for those who put others' names in their places.
READER = ("reader@town.example.org", "Firstword", "Lastword", "en", "Cityword")
_FIRST_NAMES = ("Ana", "Ben", "Chloé", "Dora", "Emil", "Fay", "José", "Gül", "Mariana", "Olivia")
_LAST_NAMES = ("Müller", "Silva", "Okafor", "Nguyen", "Smith", "Kowalski", "Haddad", "Tanaka")
_LANGUAGES = ("en", "fr", "es", "de", "pt-BR")
_CITIES = ("Paris", "São Paulo", "Nairobi", "Amman", "Berlin", "New York")


def person(number: int, choice: random.Random) -> tuple[str, ...]:
    """One row; the number decides the address."""
    # An odd factor and a power of two: every number once, far from its neighbours, because the
    # addresses of a real list come in no order.
    email = f"{number * 0x9E3779B1 % 2**32:08x}@town{number % 997}.example.org"
    return (email, *map(choice.choice, (_FIRST_NAMES, _LAST_NAMES, _LANGUAGES, _CITIES)))


def write_people(path: Path, rows: int) -> None:
    """Write so many people, the same ones each time; ``READER`` is the first."""
    choice = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerow(READER)
        writer.writerows(person(number, choice) for number in range(1, rows))
