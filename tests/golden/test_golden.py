"""What the sample issue comes out as, byte for byte.

A difference is either a mistake or a new look: ``pytest tests/golden --update-golden`` writes the
files anew, and the diff of the commit shows what readers will see.
"""

import re
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parent / "2023-summer-updates"
# What is different in every message, or follows from the digest of all others.
_CHANGING = {
    rb"(?m)^Date: .*\r$": b"Date: DATE\r",
    rb"(?m)^Message-ID: <[a-z2-7]{26}@": b"Message-ID: <REF@",
    rb"=_[0-9a-f]{24}": b"BOUNDARY",
}


def _normal(content: bytes) -> bytes:
    for pattern, replacement in _CHANGING.items():
        content = re.sub(pattern, replacement, content)
    return content


@pytest.mark.parametrize("name", ["index.html", "message.txt", "message.eml"])
def test_the_sample_comes_out_as_it_did(
    name: str, built_sample: Path, request: pytest.FixtureRequest
) -> None:
    content = _normal((built_sample / name).read_bytes())
    golden = _FOLDER / name
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(content)
    assert content.decode().splitlines() == golden.read_bytes().decode().splitlines()


def test_what_changes_is_made_equal() -> None:
    folded = b"Date: Tue, 24 Nov 2026 10:34:34 +0000\r\nMessage-ID: <" + b"a" * 26 + b"@x.org>\r\n"
    assert _normal(folded) == b"Date: DATE\r\nMessage-ID: <REF@x.org>\r\n"
