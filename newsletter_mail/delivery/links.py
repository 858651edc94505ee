"""The links of one message: signed for one person and one issue. Pure."""

from dataclasses import dataclass

from newsletter_mail.message.scope import Links
from newsletter_mail.tokens import Grant, Purpose, Tokens


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Builds links; needs a base URL and keys, not the web app.

    Attributes:
        base_url: without a slash at its end.
    """

    base_url: str
    tokens: Tokens

    def links(
        self, subscriber: str, slug: str, *, language: str | None = None, is_test: bool = False
    ) -> Links:
        """The links for a subscriber's public id and an issue.

        Args:
            language: of the web version, where it is not the issue's own.
            is_test: the links work and change nothing.
        """
        grant = Grant(subscriber, slug, is_test)
        return Links(
            unsubscribe_url=f"{self.base_url}/u/{self.tokens.sign(Purpose.UNSUBSCRIBE, grant)}",
            preferences_url=f"{self.base_url}/p/{self.tokens.sign(Purpose.PREFERENCES, grant)}",
            web_url=self.web_url(slug, language),
        )

    def web_url(self, slug: str, language: str | None = None) -> str:
        """Where the issue can be read on the web."""
        return f"{self.base_url}/i/{slug}" + (f"/{language}" if language else "")

    def picture_url(self, name: str) -> str:
        """Where a picture is."""
        return f"{self.base_url}/media/{name}"
