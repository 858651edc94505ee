"""MJML to the HTML that goes out: mjml-python and premailer, with their traps avoided."""

import logging
import re

from mjml import mjml2html

from newsletter_mail.compose.marks import Marks
from newsletter_mail.errors import InlineError, MjmlError

_STYLE = re.compile(r"<style(?=[\s>])")
# White space that begins with a line end is dropped, also between two words in HTML.
_WITH_HTML = re.compile(
    r"""<mj-(text|button|table|raw)\b(?:[^>"']|"[^"]*"|'[^']*')*(?<!/)>.*?</mj-\1>""", re.DOTALL
)
_IGNORED = ' data-premailer="ignore"'
# What premailer would write as attributes, in place of the pixels that Outlook needs.
_BASIC_ATTRIBUTES = [
    "width",
    "height",
    "align",
    "valign",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
]


def make_html(mjml: str, css: str, marks: Marks) -> str:
    """The HTML of a mail, with marks left where merge tags and pictures go.

    Args:
        mjml: checked; what the author wrote stands in it as marks.
        css: rules that are written into the elements.
        marks: what the marks stand for.

    Raises:
        MjmlError: mjml-python refuses the document, or loses a part of it.
        InlineError: premailer does.
    """
    rendered = _render_mjml(mjml)
    _refuse_loss(marks.found_in(mjml), marks.found_in(rendered), MjmlError)
    whole = marks.put_in_content(rendered)
    inlined = _inline(whole, css)
    _refuse_loss(marks.found_in(whole), marks.found_in(inlined), InlineError)
    return inlined


def _render_mjml(mjml: str) -> str:
    source = _WITH_HTML.sub(lambda match: match[0].replace("\n", " \n"), mjml)
    # Other letters than ASCII come out of attributes in Rust's notation.
    source = source.encode("ascii", "xmlcharrefreplace").decode()
    try:
        # Without fonts={} Google's are linked.
        return str(mjml2html(source, fonts={}))
    except ValueError as error:
        raise MjmlError(f"MJML cannot be rendered: {error}") from error
    except BaseException as error:
        # mrml's panics are no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise MjmlError("MJML cannot be rendered: mjml-python gave up") from error


def _inline(html: str, css: str) -> str:
    # An eighth of a second, which `newsletter status` must not wait for.
    from premailer import Premailer  # noqa: PLC0415

    # premailer looks for the doctype in capitals, and loses it (and standards mode) otherwise.
    html = html.lstrip().replace("<!doctype html>", "<!DOCTYPE html>", 1)
    html = _STYLE.sub(f"<style{_IGNORED}", html)
    try:
        inlined = Premailer(
            html,
            css_text=css,
            method="html",
            # Without these two @font-face, @supports and [data-ogsc] rules are dropped, and
            # the rules for phones and for dark mode lose to what is written into elements.
            keep_style_tags=True,
            strip_important=False,
            remove_classes=False,
            disable_basic_attributes=_BASIC_ATTRIBUTES,
            # Addresses are checked and whole; marks are no addresses yet.
            disable_link_rewrites=True,
            disable_validation=True,
            align_floating_images=False,
            allow_network=False,
            allow_loading_external_files=False,
            cssutils_logging_level=logging.CRITICAL,
        ).transform(pretty_print=False)
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        raise InlineError(f"the styles cannot be written into the HTML: {error}") from error
    # In a tag only: an author may write about it.
    return str(inlined).replace(f"<style{_IGNORED}", "<style")


def _refuse_loss(
    before: set[str], after: set[str], error: type[MjmlError] | type[InlineError]
) -> None:
    if before != after:
        raise error("a part of the issue got lost on its way to HTML; please report this")
