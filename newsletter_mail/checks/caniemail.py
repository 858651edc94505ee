"""What mail programs can do: the data of caniemail.com, trimmed, with its date.

``docs/renew_caniemail.py`` renews the file; its licence stands beside it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

#: A feature that these lack is missing for most readers, or for many offices. Gmail's web page for
#: phones and Windows Mail are left out: hardly anybody reads there.
MAJOR = frozenset(
    {
        "Apple Mail (iOS)",
        "Apple Mail (macOS)",
        "Gmail (Android)",
        "Gmail (iOS)",
        "Gmail (web)",
        "Outlook (Android)",
        "Outlook (Windows)",
        "Outlook (iOS)",
        "Outlook (macOS)",
        "Outlook.com",
        "Yahoo! Mail (Android)",
        "Yahoo! Mail (iOS)",
        "Yahoo! Mail (web)",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something that HTML or CSS has.

    Attributes:
        title: as caniemail calls it.
        slug: of its page there.
        lacking: the programs whose latest version does not have it.
    """

    title: str
    slug: str
    lacking: frozenset[str]

    @property
    def url(self) -> str:
        """Its page at caniemail."""
        return f"https://www.caniemail.com/features/{self.slug}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """The data.

    Attributes:
        updated: date of the data, ``YYYY-MM-DD``.
        clients: all programs that it speaks of.
        features: by kind and name, such as ``("property", "float")``.
    """

    updated: str
    clients: tuple[str, ...]
    features: Mapping[tuple[str, str], Feature]


@cache
def load_support() -> Support:
    """Read the data that came with the program; 2 ms."""
    text = files(__package__).joinpath("data", "caniemail.json").read_text("utf-8")
    content = json.loads(text)
    features: dict[tuple[str, str], Feature] = {}
    for item in content["features"]:
        feature = Feature(title=item["title"], slug=item["slug"], lacking=frozenset(item["no"]))
        for name in item["names"]:
            features.setdefault((item["kind"], name), feature)
    return Support(updated=content["updated"], clients=tuple(content["clients"]), features=features)
