"""What mjml-python would break in silence is caught before it."""

import pytest

from newsletter_mail.compose.marks import Marks
from newsletter_mail.compose.mjml_lint import lint_mjml
from newsletter_mail.compose.mjml_tags import ATTRIBUTES, PARENTS

_HEAD = "<mjml lang='en' dir='ltr'><mj-head>"
_MARKS = Marks("")
_STAND_INS = {
    "PICTURE": _MARKS.picture("0123.png"),
    "MERGE": _MARKS.merge("subscriber.name"),
    "OPTION": _MARKS.content("an option"),
}


def _lint(
    mjml: str, parent: str = "mj-column", *, is_authors: bool = False
) -> list[tuple[int, str]]:
    for name, mark in _STAND_INS.items():
        mjml = mjml.replace(name, mark)
    found = lint_mjml(mjml, _MARKS, parent=parent, is_authors=is_authors)
    return [(finding.line, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("mjml", "line", "words"),
    [
        ("<mj-foo>x</mj-foo>", 1, "<mj-foo> is not an MJML tag"),
        ("\n<mj-buton href='x'>x</mj-buton>", 2, "did you mean mj-button?"),
        ("<p>x</p>", 1, "<p> is not an MJML tag"),
        ("<mj-text colour='#fff'>x</mj-text>", 1, "no attribute colour; did you mean color?"),
        ("<mj-text padding='0 20px'>x</mj-text>", 1, "every length has a unit"),
        ("<mj-text padding='0'>x</mj-text>", 1, "every length has a unit"),
        ("<mj-text padding=''>x</mj-text>", 1, "it is empty"),
        ("<mj-text font-size='banana'>x</mj-text>", 1, "every length has a unit"),
        ("<mj-text color='banana'>x</mj-text>", 1, "a colour is written #rrggbb"),
        ("<mj-text align='start'>x</mj-text>", 1, "known are center, justify, left, right"),
        ("<mj-text mj-class='a b'>x</mj-text>", 1, "give one mj-class"),
        ("<mj-image src='PICTURE' />", 1, "<mj-image> has no alt"),
        ("<mj-image alt='' />", 1, "<mj-image> has no src"),
        ("<mj-image alt='' src='https://example.org/a.png' />", 1, "from elsewhere"),
        ("<mj-button>x</mj-button>", 1, "<mj-button> has no href"),
        ("<mj-section />", 1, "<mj-section> stands in mj-column"),
        ("<mj-text><mj-text>x</mj-text></mj-text>", 1, "cannot stand in <mj-text>"),
        ("<mj-include path='x' />", 1, "<mj-include> is not an MJML tag"),
        ("<mj-social />", 1, "<mj-social> is not an MJML tag"),
        ("<mj-hero />", 1, "<mj-hero> is not an MJML tag"),
        ("<mj-text>x", 1, "not well-formed"),
        ("<mj-text>\na&nbsp;b</mj-text>", 2, "write &#160; for &nbsp;"),
        ("<mj-text>a < b</mj-text>", 1, "not well-formed"),
        ("<mj-text><![CDATA[x]]></mj-text>", 1, "CDATA has no place"),
        ("<mj-text><?x y?></mj-text>", 1, "a processing instruction has no place"),
        ("<mj-text title='a\tb'>x</mj-text>", 1, "no attribute title"),
        ("<mj-text><b title='a\\b'>x</b></mj-text>", 1, "a backslash"),
        ("<mj-text><b title='a&#10;b'>x</b></mj-text>", 1, "a line end"),
        ("<mj-text><b title='\"'>x</b></mj-text>", 1, "a double quote"),
        ("<mj-text>" + "<b>" * 100 + "</b>" * 100 + "</mj-text>", 1, "nested too deeply"),
        ("<mj-text><script>x</script></mj-text>", 1, "<script> has no place in a mail"),
        ("<mj-text><IFRAME src='x' /></mj-text>", 1, "<IFRAME> has no place in a mail"),
        ("<mj-raw><style>x</style></mj-raw>", 1, "<style> has no place in a mail"),
        ("<mj-raw><meta http-equiv='refresh' /></mj-raw>", 1, "<meta> has no place in a mail"),
        ("<mj-text><b onClick='x'>x</b></mj-text>", 1, "onClick of <b> would run a script"),
        ("<mj-text><a href=' javascript:x'>x</a></mj-text>", 1, "href of <a> would run a script"),
        ("<mj-button href='JavaScript:x'>x</mj-button>", 1, "would run a script"),
        ("<mj-text><img src='//x/a.png' alt='' /></mj-text>", 1, "from elsewhere"),
        ("<mj-text><img src='PICTURE' /></mj-text>", 1, "<img> has no alt"),
        ("<mj-text><b style='background:url(x)'>x</b></mj-text>", 1, "would load something"),
        ("<mj-text><plaintext>x</plaintext></mj-text>", 1, "<plaintext> has no place"),
        ("<mj-text><b style='color:MERGE'>x</b></mj-text>", 1, "cannot have a merge tag"),
        ("<mj-text font-family='OPTION'>x</mj-text>", 1, "cannot have a merge tag or an option"),
        ("<mj-text><b MERGE='x'>x</b></mj-text>", 1, "cannot be a part of a tag"),
        ("<mj-text><MERGE>x</MERGE></mj-text>", 1, "cannot be a part of a tag"),
        ("<mj-image alt='' src='MERGE' />", 1, "from elsewhere"),
        ("<mj-raw><!--[if mso]>x</mj-raw>", 1, "not well-formed"),
        ("<mj-raw><!--[if mso]>x--></mj-raw>", 1, "must be whole"),
        ("<mj-raw><!--<![endif]--></mj-raw>", 1, "must be whole"),
        ("<mj-raw><!--[if !mso]><!-->x</mj-raw>", 1, "is not closed"),
    ],
)
def test_bad_mjml_is_found_with_its_line(mjml: str, line: int, words: str) -> None:
    found = _lint(mjml)

    assert any(at == line and words in message for at, message in found), found


@pytest.mark.parametrize(
    "mjml",
    [
        "<mj-text padding='0px 20px' css-class='a b'><p>a<br/>b&#160;c</p></mj-text>",
        "<mj-image src='PICTURE' alt='' width='100px' />",
        "<mj-button href='https://example.org' inner-padding='1px 2px'>x</mj-button>",
        "<mj-raw><!--[if mso | IE]><td><![endif]--><!-- a word --></mj-raw>",
        "<mj-raw><!--[if !mso]><!--><b>x</b><!--<![endif]--></mj-raw>",
        "<mj-table><tr><td>x</td></tr></mj-table>",
        "<mj-text><a href='MERGE' title='OPTION'>MERGE</a></mj-text>",
    ],
)
def test_good_mjml_is_left_alone(mjml: str) -> None:
    assert _lint(mjml) == []


def test_an_author_has_no_conditional_comments() -> None:
    mjml = "<mj-raw><!--[if mso]><script>x</script><![endif]--></mj-raw>"

    assert _lint(mjml, is_authors=True) == [(1, "a conditional comment belongs into a template")]


@pytest.mark.parametrize(
    ("mjml", "words"),
    [
        ("<mjml><mj-body></mj-body></mjml>", "<mjml> has no dir"),
        ("<mjml lang='en' dir='up'><mj-body></mj-body></mjml>", "known are auto, ltr, rtl"),
        ("<mjml lang='en' dir='ltr'><mj-section /></mjml>", "<mj-section> stands in mjml"),
        ("<mj-body />", "<mj-body> stands in nothing"),
        (
            f"{_HEAD}<mj-attributes><mj-txt /></mj-attributes></mj-head></mjml>",
            "<mj-txt> is not an MJML tag; did you mean mj-text?",
        ),
        (
            f"{_HEAD}<mj-attributes><mj-all colour='#fff' /></mj-attributes></mj-head></mjml>",
            "no attribute colour; did you mean color?",
        ),
    ],
)
def test_a_whole_document_is_checked_from_its_root(mjml: str, words: str) -> None:
    assert any(words in message for _, message in _lint(mjml, parent="")), _lint(mjml, parent="")


def test_the_tables_speak_of_the_same_tags() -> None:
    assert set(ATTRIBUTES) == set(PARENTS)
    assert {place for places in PARENTS.values() for place in places} <= set(PARENTS)
