"""A workspace changes a file of a template, or adds a block, by adding a file."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter_mail.compose.build import compile_issue
from newsletter_mail.compose.templates import Level, Templates
from newsletter_mail.errors import CompileError, MjmlError, TemplateError
from tests.unit.compose.desk import (
    BODY,
    SETTINGS,
    Desk,
    filled,
    parsed,
    picture_names,
    visible_text,
)

_POLL = """
<mj-text css-class="b t"><h3>{{ required.question }}</h3>
<p title="{{ options.hint }}">{{ options.hint }}</p>{{ html }}
{% if options.link %}<a href="{{ options.link }}">{{ phrase.more }}</a>{% endif %}
</mj-text>
"""


def test_a_block_is_added_by_adding_a_file(desk: Desk) -> None:
    desk.template("blocks/poll.mjml.j2", _POLL)
    build = desk.compile(
        '::: poll {question="Paris or <Nairobi>?" hint="a\u00a0“b” \\c" '
        'link="https://example.org/poll"}\nVote *now*.\n:::'
    )

    assert "Paris or <Nairobi>?" in visible_text(build)
    hints = [p.attrib["title"] for p in parsed(build).iter("p") if "title" in p.attrib]
    assert hints == ["a\u00a0“b” \\c"]
    assert "More information" in visible_text(build)
    text = filled(build.text)
    assert "question: Paris or <Nairobi>?" in text
    assert "link: https://example.org/poll" in text
    assert "Vote now." in text


def test_the_options_of_a_block_are_those_that_its_template_reads(desk: Desk) -> None:
    desk.template("blocks/poll.mjml.j2", _POLL)

    assert desk.findings("::: poll {hnt=x}\ny\n:::") == [
        (BODY, "::: poll has no option hnt; did you mean hint?"),
        (BODY, '::: poll needs question: ::: poll {question="…"}'),
    ]


@pytest.mark.parametrize(
    ("source", "level"),
    [
        ("<mj-text>{{ html }}</mj-text>", Level.BLOCK),
        ("{# <mj-section> #}<mj-text>{{ html }}</mj-text>", Level.BLOCK),
        ("<mj-column>{{ content }}</mj-column>", Level.COLUMN),
        ("<mj-section><mj-column>{{ content }}</mj-column></mj-section>", Level.ROW),
    ],
)
def test_the_first_tag_says_how_wide_a_block_is(desk: Desk, source: str, level: Level) -> None:
    desk.template("blocks/poll.mjml.j2", source)
    block = Templates("default", desk.workspace).block("poll")

    assert block is not None
    assert block.level is level
    assert "before inside after" in visible_text(
        desk.compile("before\n\n::: poll\ninside\n:::\n\nafter")
    )


def test_one_file_is_changed_and_the_others_stay(desk: Desk) -> None:
    desk.template("blocks/when.mjml.j2", "<mj-text>on {{ html }} on</mj-text>")

    assert "on June on" in visible_text(desk.compile("## A\n\n::: when\nJune\n:::\n\nText."))


def test_a_template_of_its_own_needs_only_what_is_different(desk: Desk) -> None:
    desk.template("theme.toml", '[light]\naccent = "#123456"\n', name="city")
    body = "[a](https://example.org)\n\n[b](https://example.org){.button}"
    html = filled(desk.compile(body, "subject: S\ntemplate: city").html)

    assert "#123456" in html
    assert "#0a655e" in html  # the button's, which the theme leaves as it is


def test_a_logo_stands_beside_the_theme(desk: Desk) -> None:
    desk.template("theme.toml", '[logo]\nfile = "logo.png"\nalt = "City & Co"\n')
    desk.picture("logo.png", (300, 100))
    (desk.folder / "logo.png").rename(desk.workspace / "templates/default/logo.png")
    build = desk.compile("Text.")
    image = parsed(build).find(".//img")

    assert image.attrib["alt"] == "City & Co"
    assert image.attrib["width"] == "150"
    assert picture_names(build.html) == [picture.name for picture in build.pictures]


@pytest.mark.parametrize(
    ("theme", "words"),
    [
        ('[light]\nacent = "#123456"', "unknown key acent in [light]; did you mean accent?"),
        ('[ligth]\naccent = "#123456"', "unknown table [ligth]; did you mean light?"),
        ('[light]\naccent = "red"', "must be a colour"),
        ('[light]\naccent = "#fff;}x{"', "must be a colour"),
        ('[fonts]\nbody = "a;}"', "must be names with commas"),
        ('[layout]\nwidth = "600px"', "must be a number of pixels"),
        ('[logo]\nfile = "x.png"', "there is no logo x.png"),
        ("light = 1", "light must stand in a table"),
        ("[light", "cannot be read"),
    ],
)
def test_a_mistake_in_the_theme_names_the_file(desk: Desk, theme: str, words: str) -> None:
    desk.template("theme.toml", theme)

    with pytest.raises(TemplateError) as caught:
        desk.compile("Text.")

    assert words in str(caught.value)
    assert str(caught.value).startswith("templates/default/theme.toml: ")


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("<mj-tex>{{ html }}</mj-tex>", MjmlError, "<mj-tex> is not an MJML tag"),
        ("<mj-text colr='#fff'>{{ html }}</mj-text>", MjmlError, "no attribute colr"),
        ("<mj-text padding='0 1px'>{{ html }}</mj-text>", MjmlError, "every length has a unit"),
        ("<mj-text>{{ html }}", MjmlError, "not well-formed"),
        ("<mj-text>{{ htlm }}</mj-text>", TemplateError, "'htlm' is undefined"),
        ("\n<mj-text>{% if %}</mj-text>", TemplateError, "poll.mjml.j2:2: "),
        ("<mj-text>{{ 1 / 0 }}</mj-text>", TemplateError, "division by zero"),
        ("<mj-text>{{ ''.__class__.__mro__ }}</mj-text>", TemplateError, "unsafe"),
        ("<mj-text>{% include 'nowhere' %}</mj-text>", TemplateError, "nowhere"),
        (
            "<mj-image src='https://example.org/a.png' alt='' />{{ html }}",
            MjmlError,
            "from elsewhere",
        ),
    ],
)
def test_a_mistake_in_a_block_names_its_file(
    desk: Desk, source: str, error: type[CompileError], words: str
) -> None:
    desk.template("blocks/poll.mjml.j2", source)

    with pytest.raises(error) as caught:
        desk.compile("::: poll\nx\n:::")

    assert words in str(caught.value)
    assert str(caught.value).startswith("templates/default/blocks/poll.mjml.j2")


def test_mistakes_of_the_author_are_said_before_those_of_the_template(desk: Desk) -> None:
    desk.template("blocks/poll.mjml.j2", "<mj-tex />")

    assert desk.findings("[a](b)\n\n::: poll\nx\n:::")[0][0] == BODY


def test_raw_mjml_is_checked_line_by_line(desk: Desk) -> None:
    desk.picture("a.png")
    found = desk.findings(
        "Text.\n\n::: html {txt=x}\n<mj-text>\n<script>x</script></mj-text>\n"
        '<mj-text padding="0 1px">y</mj-text>\n<mj-image src="b.png" alt="" />\n:::'
    )

    assert [line for line, _ in found] == [6, 8, 9, 10, 10]
    assert desk.findings('::: html\n<mj-image src="a.png" alt="" />\n:::') == []
    assert desk.findings("::: html\n:::") == [(BODY, "::: html is empty")]


def test_the_theme_has_no_key_that_nothing_uses(desk: Desk) -> None:
    templates = Templates("default", desk.workspace)
    sources = "".join(file.read_text("utf-8") for file in templates.folders[-1].rglob("*.j2"))
    keys = {key for mode in ("light", "dark") for key in templates.theme()[mode]}

    assert {key for key in keys if not re.search(rf"\.{key}\b", sources)} == set()


@pytest.mark.parametrize("name", ["default", "plain", "digest"])
def test_each_template_has_every_block(name: str, tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "data" / "all-blocks"
    for language in ("en", "ar"):
        build = compile_issue(
            folder,
            workspace=tmp_path,
            settings=replace(SETTINGS, default_template=name),
            language=language,
        )
        assert filled(build.html).count("<h1") == 1
        assert len(filled(build.html)) < 90_000
    names = {*Templates(name, tmp_path).block_names()}
    assert names == {*Templates("default", tmp_path).block_names()}


@pytest.mark.parametrize("name", ["plain", "digest"])
def test_a_built_in_template_is_changed_as_the_default_one_is(desk: Desk, name: str) -> None:
    desk.template("blocks/when.mjml.j2", "<mj-text>on {{ html }} on</mj-text>", name=name)
    desk.template("theme.toml", '[light]\naccent = "#123456"\n', name=name)
    build = desk.compile(
        "## A\n\n::: when\nJune\n:::\n\n[a](https://example.org/a)",
        f"subject: S\ntemplate: {name}",
    )

    assert "on June on" in visible_text(build)
    assert "#123456" in filled(build.html)


def test_the_digest_begins_with_its_sections(desk: Desk) -> None:
    body = "Hello.\n\n" + "".join(f"## Part {n} & more\n\nText.\n\n" for n in "abc")
    build = desk.compile(body, "subject: S\ntemplate: digest")

    listed = [item.text for item in parsed(build).iter("li")]
    assert listed == ["Part a & more", "Part b & more", "Part c & more"]
    assert "In this issue" not in visible_text(desk.compile(body))


def test_text_of_raw_mjml_can_be_read_in_the_dark(desk: Desk) -> None:
    html = filled(desk.compile("::: html\n<mj-text>x</mj-text>\n:::").html)
    dark = html.partition("prefers-color-scheme: dark")[2]

    assert re.search(r"\.card div[^{]*\{ color: #dde5e8 !important; \}", dark)
