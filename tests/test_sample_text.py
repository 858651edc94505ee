"""Every sentence of the newsletter that the sample was made of is in it, in its order."""

import re
from collections.abc import Iterator
from pathlib import Path

import html5lib
import pytest

_ADDRESS = r"https://example\.org/[\w/-]+?(?=[^\w/-]|[A-Z]|$)"
_SOURCE = Path(__file__).parent / "data" / "mayors-mechanism-2023-summer.txt"


def _compact(text: str) -> str:
    return "".join(text.split())


def _sentences() -> list[str]:
    """The lines of the source, without white space; " |" at their ends is left of table cells."""
    lines = (
        re.sub(r"[\s|]+$", "", line) for line in _SOURCE.read_text(encoding="utf-8").splitlines()
    )
    return [_compact(line) for line in lines if line.strip(" |")]


def _between(text: str) -> Iterator[str]:
    """What stands before, between and after the lines of the source; fails where one is not."""
    position = 0
    for sentence in _sentences():
        found = text.find(sentence, position)
        assert found >= 0, f"not found, or not in its place: {sentence}"
        yield text[position:found]
        position = found + len(sentence)
    yield text[position:]


def _visible_text(html: str) -> str:
    body = html5lib.parse(html, namespaceHTMLElements=False).find("body")
    parts: list[str] = []

    def walk(element: object) -> None:
        is_hidden = "display:none" in element.get("style", "").replace(" ", "")  # type: ignore[attr-defined] # html5lib publishes no types
        if not isinstance(element.tag, str) or element.tag in ("style", "script") or is_hidden:  # type: ignore[attr-defined] # as above
            return
        parts.append(element.text or "")  # type: ignore[attr-defined] # as above
        for child in element:  # type: ignore[attr-defined] # as above
            walk(child)
            parts.append(child.tail or "")

    walk(body)
    return _compact("".join(parts))


def test_the_source_is_whole() -> None:
    sentences = _sentences()
    assert len(sentences) == 36
    assert sentences[0] == "MayorsMechanism2023SummerUpdates"
    assert sentences[-1].endswith("crucialsupporttothisobjective.")
    assert not any("|" in sentence for sentence in sentences)


def test_the_page_says_all_of_it_in_its_order(built_sample: Path) -> None:
    text = _visible_text((built_sample / "index.html").read_text(encoding="utf-8"))
    before, *between, after = _between(text)
    # Before it the way to the web version, within it the one button, after it the footer.
    assert before == "Viewinyourbrowser"
    assert [part for part in between if part] == ["JointheCalltoLocalAction"]
    assert "Unsubscribe" in after


def test_the_plain_text_says_all_of_it_in_its_order(built_sample: Path) -> None:
    text = _compact((built_sample / "message.txt").read_text(encoding="utf-8"))
    before, *between, after = _between(text)
    assert before == ""
    left = [
        # Pictures, rules and bullets; then links, each with the words that it stands on, but where
        # these end their paragraph.
        re.sub(r"\[Picture:[^\]]*\]|={5,}|-{5,}|~{5,}|\*\*\*|-$", "", part)
        for part in between
    ]
    for part in left:
        assert re.fullmatch(rf"((.+?:)?{_ADDRESS})*", part), part
    assert "unsubscribe" in after.lower()


@pytest.mark.parametrize("name", ["index.html", "message.txt"])
def test_no_sentence_is_hidden_from_this_test(name: str, built_sample: Path) -> None:
    # A sentence that is not there must be found missing.
    text = (built_sample / name).read_text(encoding="utf-8").replace("Mardan", "Madrid")
    compact = _visible_text(text) if name.endswith("html") else _compact(text)
    with pytest.raises(AssertionError, match="Casablanca"):
        list(_between(compact))
