import pytest

from newsletter_mail.web.inbox import SNIPPET_LENGTH, snippet

FILLER = "&#847;&#8203;&#160;" * 50


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<body>Join us<br>now</body>", "Join us now"),
        ("<head><title>T</title><style>p {}</style></head><body><p>a</p><p>b</p>", "a b"),
        (f"<body><div style='display:none'>Before 1 October{FILLER}</div>Dear", "Before 1 October"),
        ("<body>caf&eacute; &lt;b&gt;</body>", "café <b>"),
        ("<!--[if mso]><p>Outlook</p><![endif]--><p>all</p>", "all"),
        ("", ""),
    ],
)
def test_the_first_words(html: str, expected: str) -> None:
    assert snippet(html) == expected


def test_a_long_text_is_cut() -> None:
    shown = snippet("<p>" + "word " * 100)
    assert shown.endswith("word…")
    assert len(shown) <= SNIPPET_LENGTH + 1
