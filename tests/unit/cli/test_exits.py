import io
from contextlib import redirect_stderr

import pytest
import typer

from newsletter_mail.cli.exits import Exit, run
from newsletter_mail.errors import (
    AuthFailed,
    ConfigError,
    InputError,
    IssueError,
    IssueErrors,
    NewsletterError,
    SchemaOutdated,
    SendRefused,
    SendStopped,
    TransportTimeout,
)


def _app(ending: BaseException | int | None) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def end(_debug: bool = typer.Option(False, "--debug")) -> int | None:  # noqa: FBT001 - Typer
        if isinstance(ending, BaseException):
            raise ending
        return ending

    return app


def _run(ending: BaseException | int | None, *arguments: str) -> tuple[int, str]:
    err = io.StringIO()
    with redirect_stderr(err):
        code = run(_app(ending), arguments)
    return code, err.getvalue()


@pytest.mark.parametrize(
    ("ending", "code"),
    [(None, 0), (0, 0), (Exit.DONE, 0), (Exit.LOOK, 1), (Exit.WRONG, 2), (Exit.STOPPED, 3)],
)
def test_what_a_command_gives_back_is_the_code(ending: int | None, code: int) -> None:
    assert _run(ending) == (code, "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("a sentence"), 2),
        (InputError("a sentence"), 2),
        (SchemaOutdated("a sentence"), 2),
        (SendRefused("a sentence"), 2),
        (NewsletterError("a sentence"), 2),
        (SendStopped("a sentence"), 3),
        (TransportTimeout("a sentence"), 3),
        (AuthFailed("a sentence"), 3),
    ],
)
def test_an_error_of_ours_is_a_sentence_and_a_code(error: NewsletterError, code: int) -> None:
    assert _run(error) == (code, "Error: a sentence\n")


def test_every_finding_has_its_line() -> None:
    findings = [IssueError("b", path="i.md", line=2), IssueError("a", path="i.md", line=1)]
    assert _run(IssueErrors(findings)) == (2, "Error: i.md:1: a\nError: i.md:2: b\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), typer.Abort()])
def test_control_c_stops_on_the_way(error: BaseException) -> None:
    code, err = _run(error)
    assert code == 3
    assert err.strip() == "Error: stopped"


def test_debug_shows_where_an_error_comes_from() -> None:
    with pytest.raises(ConfigError, match="a sentence"):
        _run(ConfigError("a sentence"), "--debug")


def test_a_mistake_of_the_program_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        _run(ZeroDivisionError())


def test_a_hostile_word_in_an_error_does_not_move_the_cursor() -> None:
    _, err = _run(InputError("there is no \x1b[2J\x07issue"))
    assert err == "Error: there is no �[2J�issue\n"
