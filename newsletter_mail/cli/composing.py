"""From the folder of an issue to its builds: shared by every command that compiles."""

from pathlib import Path

from newsletter_mail.compose.build import ComposeSettings, compile_issue, issue_languages
from newsletter_mail.settings import Settings
from newsletter_mail.words import Build


def compose_settings(settings: Settings) -> ComposeSettings:
    """What a compilation takes from the settings."""
    return ComposeSettings(
        newsletter_name=settings.newsletter.name,
        default_language=settings.newsletter.language,
        default_template=settings.newsletter.template,
        postal_address=settings.sender.postal_address,
        sender_name=settings.sender.name,
        pictures=settings.newsletter.pictures,
    )


def compile_all(settings: Settings, folder: Path) -> list[Build]:
    """The builds of an issue in all its languages, its own first.

    Raises:
        IssueError: of the first language that has one; all that is wrong with it.
        CompileError: the template is broken.
    """
    compose = compose_settings(settings)
    workspace = settings.workspace
    languages = issue_languages(folder, workspace=workspace, settings=compose)
    return [
        compile_issue(folder, workspace=workspace, settings=compose, language=language)
        for language in languages
    ]
