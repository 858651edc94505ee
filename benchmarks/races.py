"""Senders that run in turn, each with all of its messages and with a tenth of them.

What a program does once, such as its start, is in both runs; in the difference it is not.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.errors import Missing
from benchmarks.processes import Cost, alternate, median
from benchmarks.tables import table
from benchmarks.tools import library, program


@dataclass(frozen=True, slots=True, kw_only=True)
class Racer:
    """A program that sends messages.

    Attributes:
        messages: of one run.
        send: sends so many; gives what it cost, from the start of the program to its end.
        prepare: does what ``send`` does before the first of so many messages leaves; None where
            that is no more than the start.
        programs: others' programs that it needs.
        libraries: others' libraries that it needs.
    """

    name: str
    messages: int
    send: Callable[[int], Cost]
    prepare: Callable[[int], Cost] | None = None
    programs: Sequence[str] = ()
    libraries: Sequence[str] = ()

    @property
    def few(self) -> int:
        """Messages of the small run."""
        return self.messages // 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the runs of one program cost."""

    racer: Racer
    whole: Sequence[Cost]
    tenth: Sequence[Cost]
    prepared: Sequence[Cost] = ()

    @property
    def rate(self) -> float:
        """Messages a second: the median."""
        return self.racer.messages / median(self.whole)

    @property
    def rate_without_start(self) -> float:
        """Messages a second, once it is running: those of the large run beyond the small one."""
        more = self.racer.messages - self.racer.few
        return more / (median(self.whole) - median(self.tenth))

    @property
    def rate_of_sending(self) -> float:
        """Messages a second, from the first one to the last."""
        if not self.prepared:
            return self.rate_without_start
        return self.racer.messages / (median(self.whole) - median(self.prepared))

    @property
    def cpu_us_of_sending(self) -> float:
        """CPU of a message, but for the check of all of them before the first one leaves."""
        if not self.prepared:
            return self.cpu_us_without_start
        pairs = zip(self.whole, self.prepared, strict=True)
        spent = statistics.median(all_.cpu_s - before.cpu_s for all_, before in pairs)
        return spent / self.racer.messages * 1e6

    @property
    def spread(self) -> str:
        """The slowest and the fastest round, messages a second."""
        rates = [self.racer.messages / cost.wall_s for cost in self.whole]
        return f"{min(rates):,.0f}–{max(rates):,.0f}"

    @property
    def cpu_us(self) -> float:
        """CPU a message, of the whole program."""
        return median(self.whole, lambda cost: cost.cpu_s) / self.racer.messages * 1e6

    @property
    def cpu_us_without_start(self) -> float:
        """CPU of one message more."""
        more = self.racer.messages - self.racer.few
        pairs = zip(self.whole, self.tenth, strict=True)
        return statistics.median((all_.cpu_s - few.cpu_s) / more for all_, few in pairs) * 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Who ran.

    Attributes:
        results: by name, in the order of the racers.
        notes: who did not, and why: sentences.
    """

    results: Mapping[str, Result]
    notes: Sequence[str]

    def ratio(
        self,
        name: str,
        other: str,
        value: Callable[[Result], float] = lambda result: result.rate,
    ) -> float | None:
        """A value of one for each of the other; None where one did not run.

        Args:
            value: messages a second, where nothing else is said.
        """
        if name not in self.results or other not in self.results:
            return None
        return value(self.results[name]) / value(self.results[other])

    def table(self, others: Sequence[str]) -> str:
        """All results, with the ratio to each of these that ran."""
        compared = [other for other in others if other in self.results]
        head = [
            "program",
            "messages/s",
            "slowest–fastest",
            "messages/s without start",
            "messages/s while it sends",
            *(f"of {other}" for other in compared),
            "µs CPU a message",
            "µs CPU without start",
            "µs CPU while it sends",
        ]
        rows = [
            [
                name,
                f"{result.rate:,.0f}",
                result.spread,
                f"{result.rate_without_start:,.0f}",
                f"{result.rate_of_sending:,.0f}",
                *(f"{result.rate / self.results[other].rate:.2f}" for other in compared),
                f"{result.cpu_us:,.0f}",
                f"{result.cpu_us_without_start:,.0f}",
                f"{result.cpu_us_of_sending:,.0f}",
            ]
            for name, result in self.results.items()
        ]
        return table(head, rows)


def race(racers: Sequence[Racer], rounds: int, *, what: str) -> Race:
    """Let all of them run whose programs and libraries are here."""
    ready, notes = [], []
    for racer in racers:
        try:
            _look_for_needs(racer)
        except Missing as error:
            notes.append(f"No line for {racer.name}: {error}.")
        else:
            ready.append(racer)
    runs: dict[str, Callable[[], Cost]] = {}
    for racer in ready:
        runs[racer.name] = _runner(racer, racer.messages)
        runs[f"{racer.name}, a tenth"] = _runner(racer, racer.few)
        if racer.prepare is not None:
            runs[f"{racer.name}, until the first"] = partial(racer.prepare, racer.messages)
    costs = alternate(rounds, runs, what=what)
    results = {
        racer.name: Result(
            racer=racer,
            whole=costs[racer.name],
            tenth=costs[f"{racer.name}, a tenth"],
            prepared=costs.get(f"{racer.name}, until the first", ()),
        )
        for racer in ready
    }
    return Race(results=results, notes=notes)


def _runner(racer: Racer, messages: int) -> Callable[[], Cost]:
    return lambda: racer.send(messages)


def _look_for_needs(racer: Racer) -> None:
    for name in racer.programs:
        program(name)
    for name in racer.libraries:
        library(name)
