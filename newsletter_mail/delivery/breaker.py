"""When a send must stop because the server refuses us and not a recipient. Pure."""

from newsletter_mail.words import Outcome, Verdict

#: Refusals count among so many first messages of a run.
WATCHED = 100


class Breaker:
    """Watches the outcomes of a run.

    Args:
        most_refusals: so many policy refusals among the first messages are still no pattern.
    """

    def __init__(self, most_refusals: int) -> None:
        self._most = most_refusals
        self._seen = 0
        self._refused = 0
        #: Why to stop, in a sentence with the server's words; "" while there is no reason.
        self.reason = ""

    def watch(self, outcome: Outcome) -> None:
        """Take notice of one outcome."""
        if self.reason:
            return
        if outcome.verdict is Verdict.WE_ARE_REFUSED:
            self.reason = f"the mail server refuses us as a sender: {outcome.reply}"
            return
        if outcome.verdict is Verdict.NOT_HANDED_OVER or self._seen >= WATCHED:
            return
        self._seen += 1
        self._refused += outcome.verdict is Verdict.MESSAGE_REFUSED
        if self._refused > self._most:
            self.reason = (
                f"{self._refused} of the first {self._seen} messages were refused by a policy, "
                f"the last with: {outcome.reply}"
            )
