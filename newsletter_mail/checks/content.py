"""Rules on what is written: subject, preheader, words, dates."""

import re
from collections.abc import Iterator

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.dates import dates_in
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.registry import rule
from newsletter_mail.checks.source import GAP

#: Phones show about so many characters of a subject.
MAX_SUBJECT = 60

_PLACEHOLDER = re.compile(
    r"\blorem ipsum\b|\bTODO\b|\bFIXME\b|\bTBD\b|\bTK(?: ?TK)+\b|\bXXX+\b|"
    r"\binsert [\w ]{1,30} here\b|\byour text here\b",
)
_LOREM = re.compile(r"\blorem ipsum\b|\bdolor sit amet\b", re.IGNORECASE)
# Words of other languages: "todo" is all.
_NO_TODO = frozenset({"es", "pt", "gl", "ca", "eo", "io"})

_FOREIGN_TAG = re.compile(
    r"\*\|[A-Z][A-Z0-9_:]*\|\*|%%[\w.]+%%|%[A-Z]*_?NAME%|%recipient\.\w+%|\$\{[\w.]+\}|"
    r"(?<!\{)\{(?:(?:first|last|full)[ _]?)?name\}(?!\})|<<[A-Za-z][\w ]*>>|"
    r"\[(?:FIRST|LAST|FULL)[ _]?NAME\]",
)

_WORD = re.compile(r"[^\W\d_]{2,}(?:[’'][^\W\d_]+)?")
# Words that stand twice with reason: in English, French, German, Spanish, and for emphasis.
_TWICE = frozenset(
    {
        "had", "that", "very", "long", "bye", "so", "no", "ha", "is", "nous", "vous", "sie", "die",
        "der", "das", "den", "dem", "ihr", "bla", "cha", "tut", "pom", "more", "do", "can", "yes",
        "ja", "oui", "si", "well", "now", "never", "again", "many", "far", "half", "there", "she",
        "knock", "tick-tock", "hip", "hear", "aye",
    }
)  # fmt: skip

_AHEAD = re.compile(
    r"\b(?:deadline|before|by|until|no later than|not later than|will|join us|register|save the "
    r"date|apply|coming|upcoming|next|avant|jusqu|au plus tard|aura lieu|auront lieu|inscri\w+|"
    r"bis|spätestens|findet|finden|anmeld\w+|frist|antes|hasta|plazo|tendrá|inscrib\w+|entro|"
    r"fino al|até|prazo)\b",
    re.IGNORECASE,
)


@rule(
    "content.empty-subject",
    Level.ERROR,
    says="The subject says something.",
    advice="write subject: … in the front matter",
)
def _empty_subject(case: Case) -> Iterator[Hit]:
    if not case.subject.strip():
        yield Hit("the subject is empty", case.source.line_of_key("subject"))


@rule(
    "content.subject-length",
    Level.WARNING,
    says=f"The subject has {MAX_SUBJECT} characters at most: phones show no more.",
    advice="put what matters first, and cut the rest",
)
def _subject_length(case: Case) -> Iterator[Hit]:
    if len(case.subject) > MAX_SUBJECT:
        yield Hit(
            f"the subject has {len(case.subject)} characters, and phones show about {MAX_SUBJECT}",
            case.source.line_of_key("subject"),
        )


@rule(
    "content.no-preheader",
    Level.WARNING,
    says="There is a preheader: the words that mail programs show beside the subject.",
    advice="write preheader: … in the front matter; without it the first words of the text stand "
    "there",
)
def _no_preheader(case: Case) -> Iterator[Hit]:
    if case.source.lines and not case.source.entry("preheader"):
        yield Hit("there is no preheader", case.source.line_of_key("subject"))


@rule(
    "content.placeholder",
    Level.WARNING,
    says="No text is left that only kept a place: TODO, TBD, lorem ipsum.",
    advice="write what belongs there, or take it out",
)
def _placeholder(case: Case) -> Iterator[Hit]:
    has_no_todo = case.build.language.partition("-")[0] in _NO_TODO
    for line, text in case.source.prose:
        match = _LOREM.search(text) or _PLACEHOLDER.search(text)
        if match and not (match[0] == "TODO" and has_no_todo):
            yield Hit(f"{match[0]} looks like a placeholder", line)


@rule(
    "content.merge-tag",
    Level.WARNING,
    says="Merge tags are whole, known, and of this program's form.",
    advice="write it as {{ subscriber.first_name }}; as it stands, every reader sees it",
)
def _foreign_merge_tag(case: Case) -> Iterator[Hit]:
    for number, line in enumerate(case.source.lines, start=1):
        if match := _FOREIGN_TAG.search(line):
            yield Hit(f"{match[0]} looks like a merge tag of another program", number)


@rule(
    "content.date-past",
    Level.WARNING,
    says="What is announced has not passed already.",
    advice="put it right, or say it as something that was",
)
def _date_past(case: Case) -> Iterator[Hit]:
    for line, name, text in case.source.options:
        if name == "event":
            yield from _past(case, line, text, is_ahead=True)
    for line, text in case.source.prose:
        for sentence in re.split(r"(?<=\D[.!?]) ", text):
            yield from _past(case, line, sentence, is_ahead=bool(_AHEAD.search(sentence)))


def _past(case: Case, line: int, text: str, *, is_ahead: bool) -> Iterator[Hit]:
    found = max(dates_in(text), default=None) if is_ahead else None
    if found is not None and found.day < case.today:
        yield Hit(f"{found.shown} has passed", line)


@rule(
    "content.doubled-word",
    Level.WARNING,
    says="No word stands twice in a row by mistake.",
    advice="take one of them out",
)
def _doubled_word(case: Case) -> Iterator[Hit]:
    before, before_line = "", 0
    for line, text in case.source.prose:
        position = 0
        if line != before_line + 1 or not text:
            before = ""
        for match in _WORD.finditer(text):
            between = text[position : match.start()].strip()
            if match[0] == before and not between and before.islower() and before not in _TWICE:
                yield Hit(f"“{before} {before}” says a word twice", line)
            before, position = match[0], match.end()
        if text[position:].strip() or text.endswith(GAP):
            before = ""
        before_line = line
