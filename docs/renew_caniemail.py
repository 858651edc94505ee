"""Renews ``newsletter_mail/checks/data/caniemail.json`` from the npm package caniemail.

Needs ``npm``. What is kept of the data: features that a mail can be held against, and for each mail
program the answer of its latest version.
"""

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "newsletter_mail" / "checks" / "data"
#: Write the newest version here; `npm view caniemail version` says it.
PACKAGE = "caniemail@2.0.2"

# What the titles of caniemail say in words.
_NAMES = {
    "left, right, top, bottom": ("left", "right", "top", "bottom"),
    "gap, column-gap, row-gap": ("gap", "column-gap", "row-gap"),
    "srcset and sizes attributes": ("srcset", "sizes"),
    "<ul>, <ol> and <dl>": ("ul", "ol", "dl"),
    "<h1> to <h6> elements": ("h1", "h2", "h3", "h4", "h5", "h6"),
    "Image maps": ("map", "area"),
    "Embedded <svg> image": ("svg",),
    "CSS Variables (Custom Properties)": ("var",),
    "CSS calc() function": ("calc",),
    "grid-template-* properties": (
        "grid-template-columns", "grid-template-rows", "grid-template-areas",
    ),
    "css column properties": ("columns", "column-width", "column-rule"),
    "lch(), oklch(), lab(), oklab()": ("lch", "oklch", "lab", "oklab"),
    "font shorthand": ("font",),
    "address": ("address",),
    "HTML5 semantics": (
        "article", "aside", "details", "figcaption", "figure", "footer", "header", "main", "mark",
        "nav", "section", "summary", "time",
    ),
}  # fmt: skip


def kind_and_names(feature: dict[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """What a feature is held against, or None where it is nothing that a check looks at."""
    title, category = feature["title"].strip(), feature["category"]
    if category == "html":
        return _of_html(title)
    return _of_css(title) if category == "css" else None


def _of_html(title: str) -> tuple[str, tuple[str, ...]] | None:
    if title.endswith(("attributes", " attribute")):
        return "attribute", _NAMES.get(title, (title.split(maxsplit=1)[0],))
    if title in _NAMES:
        return "element", _NAMES[title]
    plain = re.fullmatch(r"<([a-z0-9]+)>(?: element)?", title)
    return ("element", (plain[1],)) if plain else None


def _of_css(title: str) -> tuple[str, tuple[str, ...]] | None:  # noqa: PLR0911  one for each kind
    name = re.sub(r" (?:property|CSS property)$", "", title)
    if title.startswith("@"):
        return "at-rule", (title,)
    if pair := re.fullmatch(r"([a-z-]+): ?([a-z]+)", title):
        return "value", (f"{pair[1]}:{pair[2]}",)
    if title in ("CSS Variables (Custom Properties)", "CSS calc() function") or "()," in title:
        return "function", _NAMES[title]
    if function := re.fullmatch(r"([a-z-]+)\(\)", title):
        return ("function", (function[1],)) if function[1] != "lang" else None
    if unit := re.fullmatch(r"([a-z]+) unit", title):
        return "unit", (unit[1],)
    if title in _NAMES:
        return "property", _NAMES[title]
    return ("property", (name,)) if re.fullmatch(r"[a-z]+(?:-[a-z]+)*", name) else None


def client_name(names: dict[str, dict[str, str]], family: str, platform: str) -> str:
    """A mail program as one says it."""
    own = {"outlook-com": "Outlook.com", "windows-mail": "Windows Mail"}
    if platform in own:
        return own[platform]
    place = (
        names["platform"][platform].replace("Desktop Webmail", "web").replace(" Webmail", " web")
    )
    return f"{names['family'][family]} ({place})"


def latest(answers: dict[str, str]) -> str:
    """The first letter of the last answer: y, a (partly), n or u."""
    return list(answers.values())[-1][0]


def trimmed(data: dict[str, Any], version: str) -> dict[str, Any]:
    """What is kept."""
    features = []
    for feature in data["data"]:
        found = kind_and_names(feature)
        if found is None:
            continue
        answers: dict[str, list[str]] = {"n": [], "a": []}
        for family, platforms in feature["stats"].items():
            for platform, versions in platforms.items():
                answer = latest(versions)
                if answer in answers:
                    answers[answer].append(client_name(data["nicenames"], family, platform))
        features.append(
            {
                "title": feature["title"].strip(),
                "slug": feature["slug"],
                "kind": found[0],
                "names": list(found[1]),
                "no": sorted(answers["n"]),
                "partly": sorted(answers["a"]),
            }
        )
    clients = {
        client_name(data["nicenames"], family, platform)
        for feature in data["data"]
        for family, platforms in feature["stats"].items()
        for platform in platforms
    }
    return {
        "source": f"caniemail.com by npm caniemail {version}, MIT licence: LICENSE-caniemail",
        "updated": data["last_update_date"][:10],
        "clients": sorted(clients),
        "features": sorted(features, key=lambda feature: (feature["kind"], feature["slug"])),
    }


def main() -> None:
    """Ask npm for the package and write the file."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        package = Path(folder) / "package"
        version = json.loads((package / "package.json").read_text("utf-8"))["version"]
        data = json.loads((package / "data" / "caniemail.json").read_text("utf-8"))
    made = trimmed(data, version)
    text = json.dumps(made, ensure_ascii=False, indent=1)
    # One line a list, so that a renewal can be read as a diff.
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text)
    (DATA / "caniemail.json").write_text(f"{text}\n", "utf-8")
    print(f"{len(made['features'])} features, data of {made['updated']}", file=sys.stderr)


if __name__ == "__main__":
    main()
