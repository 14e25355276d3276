"""Pages that are made while they are asked for, on the loopback interface: other ways through a model, and what
expressions are worth along them.

The page of a trace says in its address how it goes on: so many steps of the trace, then a schedule. Who runs the model
is handed in by the command, which knows the models that its user named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qs, urlencode

from dio_mc.html.folder import Found
from dio_mc.stepping.ways import Ways
from dio_mc.trace.trace import Trace

MOST_SEGMENTS: Final = 2_000
MOST_WATCHES: Final = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks: the first `to` steps of the trace (None: all), then the segments of a schedule, with the
    values of expressions; `rest`: what can follow its end."""

    to: int | None = None
    then: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    rest: bool = False

    def address(self) -> str:
        """The part of the address from the question mark on."""
        parts = [] if self.to is None else [("to", str(self.to))]
        parts += [("then", ";".join(self.then))] if self.then else []
        parts += [("watch", watch) for watch in self.watches]
        parts += [("rest", "1")] if self.rest else []
        return f"?{urlencode(parts)}"


@dataclass(frozen=True, slots=True)
class Watch:
    """An expression and its value at each state of the run; where it has none, the reason."""

    text: str
    values: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Follows:
    """What can follow: how a property stands, and the schedule that shows it where there is one."""

    text: str
    then: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Live:
    """A run of the model. `trace` is the whole run, `to` the steps of it that are those of `origin`, the trace in the
    file, `own` the steps after these; `problem` says why it does not go as far as was asked."""

    origin: Trace
    trace: Trace
    ways: Ways
    to: int
    own: tuple[str, ...] = ()
    watches: tuple[Watch, ...] = ()
    follows: tuple[Follows, ...] = ()
    problem: str = ""

    @property
    def is_origin(self) -> bool:
        """Whether this is the run of the file, and no other."""
        return not self.own and self.to == len(self.origin.steps)


class Explorer(Protocol):
    """Runs the model of a trace."""

    def __call__(self, found: Found, asked: Asked, depth: int = 1) -> Live | str:
        """The run that is asked, with the steps up to `depth` beside it; a sentence where there is none."""
        ...


def asked_of(query: str) -> Asked:
    """What the query of an address asks; what it does not understand is left out."""
    found: Mapping[str, list[str]] = parse_qs(query[:60_000], max_num_fields=40)
    to = found.get("to", [""])[0]
    then = [segment.strip() for segment in found.get("then", [""])[0].split(";")]
    watches = [watch.strip() for watch in found.get("watch", []) if watch.strip()]
    return Asked(
        int(to) if to.isascii() and to.isdigit() and len(to) < 7 else None,
        tuple(filter(None, then))[:MOST_SEGMENTS],
        tuple(dict.fromkeys(watches))[:MOST_WATCHES],
        found.get("rest", [""])[0] == "1",
    )
