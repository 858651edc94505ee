"""Each rule on a build that breaks it, and on one that comes near."""

from typing import Any

import pytest

from newsletter_mail.checks.catalogue import rules_for
from newsletter_mail.checks.findings import Level
from newsletter_mail.checks.registry import Scope
from newsletter_mail.checks.running import check_case
from newsletter_mail.checks.source import SourceText
from newsletter_mail.compose.contrast import LowContrast
from tests.unit.checks.cases import FOOT, LINKS, WORDS, make_case, picture, rules_of

Given = dict[str, Any]


def link(href: str, text: str = "The report") -> Given:
    return {"body": f'<p><a href="{href}">{text}</a></p>'}


def body(html: str) -> Given:
    return {"body": html}


def css(text: str) -> Given:
    return {"head": f"<title>Spring</title><style>{text}</style>"}


def written(text: str) -> Given:
    return {"source": text}


DARK = "@media (prefers-color-scheme: dark) {{ .t {{ background: #000 !important }} {} }}"

#: Rule, what breaks it, what does not.
TABLE: list[tuple[str, Given, Given]] = [
    ("content.empty-subject", {"subject": " "}, {"subject": "A"}),
    ("content.subject-length", {"subject": "x" * 61}, {"subject": "x" * 60}),
    (
        "content.no-preheader",
        {"source_text": SourceText("i.md", ("---", "subject: s", "preheader:", "---"))},
        written("Text"),
    ),
    ("content.placeholder", written("More TODO"), {**written("Todo: TODO"), "language": "es"}),
    ("content.placeholder", written("Lorem ipsum dolor"), written("Our todo list")),
    ("content.placeholder", written("a\nTBD"), written("`TODO` and [a](https://a.org/TODO)")),
    ("content.merge-tag", written("Dear *|FNAME|*"), written("5 * | a")),
    ("content.merge-tag", written("Dear {first_name},"), written("{{ subscriber.name }} {x}")),
    ("content.merge-tag", written("Dear %FIRST_NAME%"), written("100 %, 5 % NAME")),
    ("content.date-past", written("The deadline is 30 April 2024."), written("Until 1 May 2024.")),
    (
        "content.date-past",
        written("Join us: **April 3rd, 2024**"),
        written("3 April 2024 was fine."),
    ),
    (
        "content.date-past",
        written("Inscrivez-vous avant le 1er mars 2024"),
        written("Vu le 1er mars 2024"),
    ),
    ("content.date-past", written("Bis 3. März 2024"), written("Bis 3. März")),
    (
        "content.date-past",
        written('::: event {date="2024-04-02"}'),
        written('::: event {date="2 May 2024"}'),
    ),
    (
        "content.date-past",
        written("It will take place on 3–4 April 2024"),
        written("from 30 April to 2 May 2024"),
    ),
    (
        "content.doubled-word",
        written("It is the the end"),
        written("He had had that that, Bora Bora"),
    ),
    ("content.doubled-word", written("It is the\nthe end"), written("the\n\nthe, the. the")),
    (
        "content.doubled-word",
        written("of **the** the end"),
        written("nous nous voyons; the {{ a }} the"),
    ),
    ("links.http", link("http://a.org/"), link("https://a.org/")),
    ("links.no-scheme", link("www.a.org"), link("mailto:a@a.org")),
    (
        "links.vague-text",
        link("https://a.org", "Click here!"),
        link("https://a.org", "Here we are"),
    ),
    (
        "links.vague-text",
        {**link("https://a.org", "En savoir plus"), **written("[En savoir plus](https://a.org)")},
        {**link("https://a.org", "En savoir plus"), **written('::: event {link="https://a.org"}')},
    ),
    (
        "links.same-text",
        body('<a href="https://a.org/1">Report</a> <a href="https://a.org/2">report</a>'),
        body('<a href="https://a.org/1">Report</a> <a href="https://a.org/1">Report</a>'),
    ),
    (
        "links.tracking",
        link("https://a.org/?utm_source=x"),
        link("https://a.org/?source=x&amp;id=2"),
    ),
    (
        "links.tracking",
        link("https://a.safelinks.protection.outlook.com/?url=x"),
        link("https://outlook.com/"),
    ),
    ("links.shortener", link("https://bit.ly/x"), link("https://habit.ly/x")),
    ("links.local", link("http://localhost:8000/"), link("https://news.test/i/x")),
    ("links.local", link("https://192.168.1.4/"), link("https://8.8.8.8/")),
    ("links.local", link("https://wiki.local/"), link("https://local.org/")),
    ("links.anchor", link("#top"), link("https://a.org/#top")),
    (
        "pictures.alt-missing",
        body('<img src="https://news.test/a.png">'),
        body('<img alt="" src="x">'),
    ),
    (
        "pictures.alt-file-name",
        body('<img alt="IMG_2034.jpg" src="x">'),
        body('<img alt="A river" src="x">'),
    ),
    (
        "pictures.alt-file-name",
        body('<img alt="Picture 1" src="x">'),
        body('<img alt="Picture of a river" src="x">'),
    ),
    (
        "pictures.heavy",
        {"pictures": [picture(size=1_000_001)]},
        {"pictures": [picture(size=1_000_000)]},
    ),
    (
        "pictures.heavy",
        {"pictures": [picture(size=800_000, name=f"{n}.png") for n in range(4)]},
        {"pictures": [picture(size=700_000, name=f"{n}.png") for n in range(4)]},
    ),
    ("pictures.wide", {"pictures": [picture(1601)]}, {"pictures": [picture(1600)]}),
    ("pictures.only", {"pictures": [picture()]}, {"pictures": [picture()], **body(WORDS * 2)}),
    (
        "pictures.ratio",
        {"pictures": [picture(name=f"{n}.png") for n in range(4)], **body(WORDS * 2)},
        {"pictures": [picture(name=f"{n}.png") for n in range(2)], **body(WORDS * 2)},
    ),
    ("pictures.unused", {"unused_pictures": ("b.png",)}, {"unused_pictures": ()}),
    (
        "accessibility.body-dir",
        {"html": '<html lang="en"><body><div lang="en">Text</div></body></html>'},
        {"html": '<html lang="en"><body><p hidden>x</p><div dir="ltr">Text</div></body></html>'},
    ),
    (
        "accessibility.body-lang",
        {"html": '<html lang="en"><body><div dir="ltr">Text</div></body></html>'},
        {"html": '<body><div style="display:none">x</div><div lang="en">Text</div></body>'},
    ),
    (
        "accessibility.table-role",
        body("<table><tr><td>1</td></tr></table>"),
        body('<table role="presentation"><tr><td>1</td></tr></table>'),
    ),
    (
        "accessibility.table-role",
        body('<table role="none"><tr><th>1</th></tr></table>'),
        body('<table role="none"><tr><td><table><tr><th>1</th></tr></table></td></tr></table>'),
    ),
    ("accessibility.h1", {"title": "<p>Spring</p>"}, {"title": "<h1>Spring</h1>"}),
    (
        "accessibility.link-text",
        link("https://a.org/", '<img alt="" src="x">'),
        link("https://a.org/", '<img alt="Our site" src="x">'),
    ),
    ("accessibility.html-lang", {"language": "und"}, {"language": "pt-BR"}),
    ("accessibility.html-lang", {"language": ""}, {"language": "gsw"}),
    ("accessibility.title", {"head": "<title> </title>"}, {"head": "<title>a</title>"}),
    ("accessibility.direction", {"language": "ar"}, {"language": "ar-EG", "direction": "rtl"}),
    ("accessibility.heading-order", body("<h3>Part</h3>"), body("<h2>A</h2><h3>B</h3><h2>C</h2>")),
    (
        "accessibility.reading-order",
        body('<p style="float:right">x</p>'),
        body('<p style="float:left">x</p>'),
    ),
    (
        "accessibility.reading-order",
        body('<p style="position: absolute">x</p>'),
        body('<p style="order:0">x</p>'),
    ),
    ("accessibility.reading-order", body('<p tabindex="2">x</p>'), body('<p tabindex="0">x</p>')),
    (
        "accessibility.small-text",
        body('<p style="font-size:13px">x</p>'),
        body('<p style="font-size:14px">x</p>'),
    ),
    (
        "accessibility.small-text",
        body('<div style="font-size:10px"><b>x</b></div>'),
        body('<div style="font-size:0px"><p style="font-size:16px">x</p></div>'),
    ),
    (
        "accessibility.contrast",
        body('<p style="color:#999">x</p>'),
        body('<p style="color:#595959">x</p>'),
    ),
    (
        "accessibility.contrast",
        body('<div style="background:#222 none"><p>x</p></div>'),
        body('<div style="background:#222 url(https://news.test/a.png)"><p>x</p></div>'),
    ),
    (
        "accessibility.contrast",
        body('<p style="color:#888;font-size:18px">x</p>'),
        body('<p style="color:#888;font-size:24px">x</p>'),
    ),
    (
        "accessibility.theme-contrast",
        {"low_contrasts": [LowContrast(mode="dark", front="text", back="page", ratio=2.1)]},
        {},
    ),
    (
        "accessibility.contrast-dark",
        {**css(DARK.format("")), **body('<div class="t"><p style="color:#222">x</p></div>')},
        {
            **css(DARK.format(".t p{color:#fff}")),
            **body('<div class="t"><p style="color:#222">x</p></div>'),
        },
    ),
    (
        "clients.css",
        body('<p style="position:relative">x</p>'),
        body('<p style="border-radius:3px">x</p>'),
    ),
    ("clients.css", body('<p style="display: flex">x</p>'), body('<p style="display:block">x</p>')),
    (
        "clients.css",
        body('<p style="width:calc(100% - 2px)">x</p>'),
        body('<p style="width:90%;width:calc(100% - 2px)">x</p>'),
    ),
    ("clients.css", body('<p style="width:20vmin">x</p>'), body('<p style="width:20em">x</p>')),
    ("clients.css", css("p{float:left}"), css("@media screen{p{float:left}}")),
    (
        "clients.css",
        body('<p style="background-image:linear-gradient(#fff,#eee)">x</p>'),
        body('<p style="background-color:#fff;background-image:linear-gradient(#fff,#eee)">x</p>'),
    ),
    (
        "clients.at-rule",
        css('@import "https://news.test/a.css";'),
        css("@media print{p{color:#000}}"),
    ),
    ("clients.element", body("<video></video>"), body("<section>x</section>")),
    ("clients.attribute", body("<p popover>x</p>"), body('<img alt="" src="x" srcset="y 2x">')),
    ("size.html", body("x" * 90_001), body("x" * 89_000)),
    ("size.html", {"html_bytes": 102_001}, {"html_bytes": 90_000}),
    (
        "size.section",
        body(f"<div><h2>Long</h2>{'x' * 35_000}</div><div>{FOOT[0]}"),
        body(f"<div><h2>A</h2>{'x' * 30_000}</div><div><h2>B</h2>{'x' * 30_000}</div><div>"),
    ),
    ("size.message", {"message": b"x" * 500_001}, {"message": b"x" * 500_000}),
    ("deliverability.unsubscribe-link", {"foot": ()}, {"foot": FOOT}),
    (
        "deliverability.unsubscribe-link",
        {"text": ("No way out",)},
        {"text": (LINKS.preferences_url,)},
    ),
    (
        "deliverability.unsubscribe-link",
        {"foot": ('<div style="display:none">', *FOOT, "</div>")},
        {"foot": ('<div style="display:block">', *FOOT, "</div>")},
    ),
    ("deliverability.list-unsubscribe", {"message": b"Subject: x\r\n\r\n"}, {"message": b""}),
    ("deliverability.spam-phrase", {"subject": "Act now and win"}, {"subject": "Act on now"}),
    (
        "deliverability.spam-phrase",
        {"source_text": SourceText("i.md", ("---", "subject: s", "preheader: Act now", "---"))},
        {"source_text": SourceText("i.md", ("---", "subject: s", "preheader: Act", "---"))},
    ),
    ("deliverability.spam-phrase", {"subject": "News!!"}, {"subject": "News!"}),
    ("deliverability.spam-phrase", {"subject": "NEWS FROM THE CITY"}, {"subject": "NEWS: UN"}),
    ("deliverability.reply-mark", {"subject": "Re: your question"}, {"subject": "Return: it is"}),
    ("security.script", body("<script>x</script>"), body("<p>script</p>")),
    ("security.script", link("javascript:alert(1)"), link("https://a.org/javascript:")),
    ("security.event-handler", body('<p onclick="x()">x</p>'), body('<p one="x">x</p>')),
    ("security.form", body("<form><input></form>"), body("<p>form</p>")),
    ("security.frame", body('<iframe src="https://news.test/"></iframe>'), body("<p>x</p>")),
    (
        "security.frame",
        {"head": '<title>a</title><meta http-equiv="Refresh" content="0;url=x">'},
        {"head": '<title>a</title><meta http-equiv="Content-Type" content="x">'},
    ),
    (
        "security.data-url",
        body('<img alt="" src="data:image/png;base64,AA">'),
        body('<img alt="" src="cid:a">'),
    ),
    (
        "third-party.host",
        body('<img alt="" src="https://t.org/a.gif">'),
        body('<img alt="" src="https://news.test/a">'),
    ),
    (
        "third-party.host",
        css('@import "//fonts.org/a.css";'),
        css("p{background:url(https://news.test/a)}"),
    ),
    (
        "third-party.host",
        body('<p style="background:url(https://t.org/a)">x</p>'),
        link("https://t.org/"),
    ),
    (
        "third-party.host",
        body('<!--[if mso]><v:fill src="https://t.org/a.png" /><![endif]-->'),
        body('<!--[if mso]><v:fill src="https://news.test/a.png" /><![endif]-->'),
    ),
    (
        "third-party.host",
        body('<img alt="" src="https://news.test/a" srcset="https://t.org/a 2x">'),
        {
            **body('<img alt="" src="https://t.org/a">'),
            "settings": {"check": {"allowed_hosts": "T.org"}},
        },
    ),
]


def test_a_good_case_has_no_findings() -> None:
    assert check_case(make_case()) == []
    assert check_case(make_case(source=f"# Spring\n\n{WORDS}\n\n[Report](https://a.org/)")) == []


@pytest.mark.parametrize(("rule", "red", "green"), TABLE)
def test_a_rule_finds_what_it_is_for_and_nothing_else(rule: str, red: Given, green: Given) -> None:
    assert rule in rules_of(make_case(**red))
    assert rule not in rules_of(make_case(**green))


def test_every_rule_on_builds_is_in_the_table() -> None:
    assert {rule for rule, *_ in TABLE} == {rule.id for rule in rules_for(Scope.BUILD)}


@pytest.mark.parametrize(
    ("text", "html", "rule", "line"),
    [
        ("a\n\nthe the", "", "content.doubled-word", 7),
        (
            "a\n\n[here](https://a.org/x)",
            '<a href="https://a.org/x">here</a>',
            "links.vague-text",
            7,
        ),
        ("\n![IMG_1](a.png)", '<img alt="IMG_1" src="x">', "pictures.alt-file-name", 6),
        ("a\n#### Deep", "<h2>A</h2><h4>Deep</h4>", "accessibility.heading-order", 6),
        ('\n\n<p style="float:left">', '<p style="float:left">x</p>', "clients.css", 7),
    ],
)
def test_a_finding_names_the_line_of_the_source(text: str, html: str, rule: str, line: int) -> None:
    found = {one.rule: one for one in check_case(make_case(html, source=text))}
    assert (found[rule].file, found[rule].line) == ("issues/spring/issue.md", line)


def test_a_feature_is_said_once_with_the_programs_that_lack_it() -> None:
    case = make_case('<p style="float:left">x</p>' * 9)
    (finding,) = [one for one in check_case(case) if one.rule == "clients.css"]
    assert "float is not known to Outlook (Windows)" in finding.message
    assert "(caniemail, data of 20" in finding.message


def test_a_mail_that_gmail_cuts_is_an_error_that_names_the_sections() -> None:
    sections = "".join(f"<div><h2>Part {n}</h2>{'x' * n * 9_000}</div>" for n in (1, 3, 4, 5))
    found = {one.rule: one for one in check_case(make_case(sections))}
    assert found["size.html"].level is Level.ERROR
    assert "The largest sections are Part 5 45," in found["size.html"].message
    assert "Part 4 36," in found["size.html"].message
