"""The HTML of a build: the traps of mjml-python and premailer, each sprung once."""

import re

import pytest

from newsletter_mail.words import HoleContext
from tests.unit.compose.desk import Desk, filled, holes, parsed, visible_text


def test_the_document_is_in_standards_mode_in_its_language_and_direction(desk: Desk) -> None:
    build = desk.compile("Text.", "subject: Hello\nlanguage: fr")
    html = filled(build.html)

    # A lower-case doctype would be dropped by premailer, and with it standards mode.
    assert html.startswith("<!DOCTYPE html>")
    root = parsed(build)
    assert root.attrib["lang"] == "fr"
    assert root.attrib["dir"] == "ltr"
    assert "Se désabonner" in visible_text(build)


def test_a_language_written_from_right_to_left_turns_the_page(desk: Desk) -> None:
    build = desk.compile("- نص", "subject: Hello\nlanguage: ar")
    html = filled(build.html)

    assert parsed(build).attrib["dir"] == "rtl"
    assert "direction:ltr" not in html
    assert "padding-right:24px" in html
    assert 'align="left"' not in html


def test_media_rules_keep_their_importance(desk: Desk) -> None:
    html = filled(desk.compile("Text.").html)
    styles = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    dark = next(style for style in styles if "prefers-color-scheme: dark" in style)
    phone = next(style for style in styles if "max-width: 479px" in style)

    assert dark.count("!important") > 30
    assert "[data-ogsc] .t div" in dark
    assert phone.count("!important") > 10
    # Gmail drops a style element that is longer.
    assert all(len(style) < 8192 for style in styles)
    assert "data-premailer" not in html
    assert '<meta name="color-scheme" content="light dark">' in html


def test_no_important_rule_is_written_into_an_element(desk: Desk) -> None:
    html = filled(desk.compile("## A\n\nText [a](https://example.org).").html)

    assert "!important" not in "".join(re.findall(r'style="[^"]*"', html))


def test_outlook_gets_its_tables(desk: Desk) -> None:
    desk.picture("a.png")
    html = filled(desk.compile("![a](a.png)\n\n## A\n\n![b](a.png)\n\nText.").html)

    assert html.count("<!--[if mso") + html.count("<!--[if lte mso") > 5
    assert html.count("<!--[if") == html.count("<![endif]-->")
    assert 'width="600" style="width:600px;"' in html
    # premailer would make 100% of it, and Outlook the picture's own width.
    assert re.search(r'<img alt="b"[^>]* width="536"', html)


def test_nothing_is_loaded_from_elsewhere(desk: Desk) -> None:
    desk.picture("a.png")
    html = filled(desk.compile("![a](a.png)\n\n[b](https://example.org/b)").html)
    hosts = set(re.findall(r"(?:https?:)?//([a-z0-9.-]+)", html))

    # The first is XHTML's namespace, which nothing fetches.
    assert hosts <= {"www.w3.org", "example.org"}
    assert "@import" not in html
    assert "<link" not in html
    assert "url(" not in html


def test_words_on_two_lines_keep_their_space(desk: Desk) -> None:
    build = desk.compile("**one**\n*two*\n`three` four")

    assert "one two three four" in visible_text(build)


def test_letters_that_rust_would_escape_survive_in_attributes(desk: Desk) -> None:
    alt = "a\u00a0b ❤️ é\u0301 नमस्ते \"c\" \\d <e> & 'f'"
    desk.picture("a.png")
    build = desk.compile(
        "![a\u00a0b ❤️ é\u0301 नमस्ते \"c\" \\\\d <e> &amp; 'f'](a.png)".replace("<e>", "&lt;e&gt;")
    )

    image = parsed(build).find(".//img")
    assert image.attrib["alt"] == alt
    assert "\\u{" not in filled(build.html)


def test_entities_and_letters_survive_in_text(desk: Desk) -> None:
    build = desk.compile("&lt;script&gt; &amp; a&nbsp;b ‘São Paulo’ – 12&thinsp;€ \u200d🏙️")
    body = "".join(parsed(build).find("body").itertext())

    assert "<script> & a\u00a0b ‘São Paulo’ – 12\u2009€ \u200d🏙️" in body
    assert "<script" not in filled(build.html)


def test_braces_that_an_author_means_literally_stay(desk: Desk) -> None:
    build = desk.compile("&#123;&#123; x &#125;&#125;")

    assert "{{ x }}" in visible_text(build)
    assert {hole.expression for hole in holes(build.html)} == {
        "unsubscribe_url",
        "preferences_url",
        "web_url",
    }


@pytest.mark.parametrize(
    ("body", "context"),
    [
        ("Dear {{ subscriber.name }},", HoleContext.HTML),
        ("a`{{ subscriber.name }}`b{{ subscriber.name }}c", HoleContext.HTML),
        ('`href="{{ subscriber.name }}"`', HoleContext.HTML),
        ("[a]({{ subscriber.attributes.page }})", HoleContext.URL),
        ("[a](<{{ subscriber.attributes.page }}>){.button}", HoleContext.URL),
        ("[a](https://example.org/?who={{ subscriber.name }}&x=1)", HoleContext.URL_PART),
        ("[a](mailto:{{ subscriber.email }})", HoleContext.URL_PART),
        ("<https://example.org/{{ subscriber.name }}>", HoleContext.HTML),
        ('![a {{ subscriber.name }}](a.png "for {{ subscriber.name }}")', HoleContext.HTML),
        ("## {{ subscriber.name }}\n\n| a |\n|---|\n| {{ subscriber.name }} |", HoleContext.HTML),
        ('::: event {date="{{ subscriber.name }}"}\nx\n:::', HoleContext.HTML),
    ],
)
def test_a_merge_tag_survives_and_knows_where_it_stands(
    desk: Desk, body: str, context: HoleContext
) -> None:
    desk.picture("a.png")
    build = desk.compile(body)
    found = [hole for hole in holes(build.html) if hole.expression.startswith("subscriber.")]

    assert context in {hole.context for hole in found}
    if context is not HoleContext.HTML:
        assert {hole.context for hole in found} == {context}
    assert "Zm" not in filled(build.html)


def test_a_value_lands_where_the_tag_stood(desk: Desk) -> None:
    build = desk.compile(
        "x{{ subscriber.name }}y [a](https://example.org/?q={{ subscriber.name }})"
    )
    html = filled(build.html)

    assert "xVALUEy" in html
    assert 'href="https://example.org/?q=VALUE"' in html


def test_the_subject_is_a_pattern_for_a_header(desk: Desk) -> None:
    build = desk.compile("Text.", "subject: 'News for {{ subscriber.name }}'")

    assert build.subject[0] == "News for "
    assert [hole.context for hole in holes(build.subject)] == [HoleContext.HEADER]
    assert build.title == "City Letters"


def test_the_preheader_comes_first_and_the_text_does_not_follow_it(desk: Desk) -> None:
    body = parsed(desk.compile("Text.", "subject: S\npreheader: 'For {{ subscriber.name }}'"))
    words = "".join(body.find("body").itertext()).strip()

    assert words.startswith("For VALUE\u034f\u200b\u00a0\u034f")
    assert words.count("\u034f") > 80


def test_without_a_preheader_the_first_words_for_everybody_stand_in(desk: Desk) -> None:
    words = visible_text(desk.compile("Dear {{ subscriber.name }},\n\nSummer is here."))

    assert words.startswith("Summer is here.")


def test_the_footer_says_why_and_how_to_leave(desk: Desk) -> None:
    build = desk.compile("Text.")
    links = {link.attrib["href"] for link in parsed(build).iter("a")}
    expressions = [(h.expression, h.context) for h in holes(build.html)]

    assert "because you are subscribed to City Letters." in visible_text(build)
    assert "1 Example Street" in visible_text(build)
    assert expressions == [
        ("web_url", HoleContext.URL),
        ("unsubscribe_url", HoleContext.URL),
        ("preferences_url", HoleContext.URL),
    ]
    assert links == {"VALUE"}


def test_headings_make_the_outline(desk: Desk) -> None:
    root = parsed(desk.compile("# T\n\na\n\n## A\n\nb\n\n### B\n\nc\n\n## C\n\nd"))
    outline = [
        (element.tag, "".join(element.itertext()))
        for element in root.iter()
        if element.tag in ("h1", "h2", "h3")
    ]

    assert outline == [("h1", "T"), ("h2", "A"), ("h3", "B"), ("h2", "C")]


def test_every_layout_table_says_that_it_is_one(desk: Desk) -> None:
    root = parsed(
        desk.compile(
            "::: columns\n::: card\na\n:::\n::: column\nb\n:::\n:::\n\n> q\n\n"
            "[a](https://example.org/a){.button} [b](https://example.org/b){.button .secondary}\n\n"
            "::: event {date=x}\ny\n:::"
        )
    )
    tables = list(root.iter("table"))

    assert len(tables) > 10
    assert all(table.attrib.get("role") == "presentation" for table in tables)


def test_no_text_is_smaller_than_14_pixels(desk: Desk) -> None:
    html = filled(desk.compile("# T\n\nText.\n\n::: when\nx\n:::\n\n```\ncode\n```").html)
    sizes = {int(size) for size in re.findall(r"font-size:\s*(\d+)px", html)}

    # 0 stands on MJML's own cells, 1 on the hidden preheader, 12 on the empty gap.
    assert min(sizes - {0, 1, 12}) >= 14


def test_every_block_of_the_default_template_renders(desk: Desk) -> None:
    desk.picture("a.png")
    build = desk.compile(
        "# T\n\n![hero](a.png 'caption')\n\n::: lead\nl\n:::\n\n## S {.featured}\n\n"
        "::: when\nw\n:::\n\n[![p](a.png)](https://example.org/p)\n\n![](a.png){.decoration}\n\n"
        "::: columns\n::: column {width=40%}\nc1\n:::\n::: card {width=60%}\nc2\n:::\n:::\n\n"
        "::: card\nalone\n:::\n\n::: callout\n### k\n- x\n\n[b](https://example.org/b){.button}\n:::\n\n"
        "> q1\n\n::: quote {by='Somebody'}\nq2\n:::\n\n1. o\n   - n\n\n```\ncode\n```\n\n---\n\n"
        "::: event {title=t date=d place=p link='https://example.org/e'}\ne\n:::\n\n"
        "::: html {text=plain}\n<mj-text css-class='b t'>raw <b>x</b>\n<i>y</i></mj-text>\n:::\n"
    )
    words = visible_text(build)

    order = "T caption l S w c1 c2 alone k x b q1 q2 Somebody o n code t d p e"
    positions = [words.index(word) for word in ("c1", "c2", "alone", "q1", "q2", "Somebody")]
    assert positions == sorted(positions)
    assert all(word in words for word in order.split())
    assert "raw x y" in words
    alts = [image.attrib["alt"] for image in parsed(build).iter("img")]
    assert alts == ["hero", "p", ""]
    assert all(part not in filled(build.html) for part in ("<mj-", "css-class"))


def test_a_comment_is_for_the_author_alone(desk: Desk) -> None:
    build = desk.compile("<!-- ask Ana -->\n\nText <!-- {{ subscriber.name }} --> here.")

    assert "ask" not in filled(build.html) + filled(build.text)
    assert "Text here." in visible_text(build)


def test_blocks_of_the_same_number_of_colons_stand_in_one_another(desk: Desk) -> None:
    build = desk.compile("::: columns\n::: column\nleft\n:::\n::: column\nright\n:::\n:::\n\nafter")

    assert "left right after" in visible_text(build)
    assert ":::" not in filled(build.html)


def test_colons_in_code_are_code(desk: Desk) -> None:
    build = desk.compile("```\n::: when\n```\n\n~~~\n:::\n~~~")

    assert "::: when" in visible_text(build)
