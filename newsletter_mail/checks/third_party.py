"""The rule that a mail makes its reader's program ask nobody but the sender's own host."""

from collections.abc import Iterator

from newsletter_mail.checks.case import Case
from newsletter_mail.checks.findings import Hit, Level
from newsletter_mail.checks.links import host_of
from newsletter_mail.checks.registry import rule
from newsletter_mail.checks.resources import resources_of


@rule(
    "third-party.host",
    Level.ERROR,
    says="To show the mail, the reader's program asks nobody but the host of [web] base_url and "
    "those of [check] allowed_hosts.",
    advice="put the file into the folder of the issue or of the template, or name the host in "
    "[check] allowed_hosts of newsletter.toml: it learns who reads, when and where",
)
def _host(case: Case) -> Iterator[Hit]:
    allowed = {host_of(case.settings.web.base_url), *case.settings.check.hosts}
    seen: set[str] = set()
    for address, by in resources_of(case):
        host = host_of(address)
        if host and host not in allowed and host not in seen:
            seen.add(host)
            yield Hit(f"{host} is asked by {by}", case.source.line_with(host))
