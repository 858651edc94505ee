"""The measures by the names that ``--only`` knows, in the order of their tables."""

from collections.abc import Callable, Iterator, Mapping

from benchmarks.measures import (
    build,
    dkim,
    fill,
    importing,
    memory,
    mjml,
    plan,
    rtt,
    send,
    spam,
    tls,
)
from benchmarks.room import Room
from benchmarks.tables import Section

#: Runs a measure; gives each section when it is done.
Measure = Callable[[Room], Iterator[Section]]

MEASURES: Mapping[str, Measure] = {
    "send": send.measure,
    "dkim": dkim.measure,
    "fill": fill.measure,
    "plan": plan.measure,
    "import": importing.measure,
    "memory": memory.measure,
    "rtt": rtt.measure,
    "tls": tls.measure,
    "build": build.measure,
    "mjml": mjml.measure,
    "spam": spam.measure,
}
