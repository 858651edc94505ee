"""What became of the messages of one run."""

from dataclasses import dataclass, field

from newsletter_mail.words import Verdict


@dataclass(slots=True)
class Tally:
    """Outcomes of a run so far."""

    by_verdict: dict[Verdict, int] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        self.by_verdict[verdict] = self.by_verdict.get(verdict, 0) + 1

    def count(self, *verdicts: Verdict) -> int:
        """How many had one of these."""
        return sum(self.by_verdict.get(verdict, 0) for verdict in verdicts)

    @property
    def done(self) -> int:
        """Messages that a server has been asked about."""
        untried = self.count(Verdict.NOT_HANDED_OVER, Verdict.WE_ARE_REFUSED)
        return sum(self.by_verdict.values()) - untried
