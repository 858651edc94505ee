"""How far to go on with a server that takes messages and does not answer. No I/O, no clock."""

from dataclasses import dataclass

#: So many messages in turn are risked to see whether a fault has passed.
_PROBES = 3
#: An answer makes good so much of a loss: half of the messages lost is a fault, one in a hundred
#: is the way of a bad line.
_TRUST_PER_ANSWER = 0.2


@dataclass(slots=True)
class Doubt:
    """Keeps what one fault can leave uncertain within a window, twice the connections.

    The fault itself takes what is on the wire, one message of each connection. While nobody knows
    whether it has passed, one message at a time is risked; the rest of the window is for those.

    Attributes:
        connections: how many are in use at most.
        lost: messages without an answer, less what has been made good.
    """

    connections: int
    lost: float = 0.0
    _is_open: bool = False
    _probes: int = 0

    @property
    def is_open(self) -> bool:
        """A message was lost and no other has been answered since: one at a time."""
        return self._is_open

    @property
    def is_final(self) -> bool:
        """Nothing more should be risked."""
        return self.lost > self.connections or self._probes >= min(_PROBES, self.connections)

    def lose(self, *, is_probe: bool) -> None:
        """A message has gone and its answer will not come.

        Args:
            is_probe: its connection was begun while the doubt was open.
        """
        self._is_open = True
        self.lost += 1
        self._probes += is_probe

    def answer(self) -> None:
        """The server has said what becomes of a message, after the whole of it."""
        self._is_open = False
        self._probes = 0
        self.lost = max(0.0, self.lost - _TRUST_PER_ANSWER)
