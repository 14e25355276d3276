"""Pages made on request, on the loopback interface: other runs of a model, and the values of expressions along them.

The address of a trace's page gives the run: a number of steps of the trace, then a schedule. The command passes in the
object that runs the model, since only it knows which models its user named.
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
class RunRequest:
    """The request in an address: the first `to` steps of the trace (None: all), then the segments of a schedule, with
    the values of expressions (`watches`); `rest`: with what can follow the end of the run."""

    to: int | None = None
    then: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    rest: bool = False

    def address(self) -> str:
        """The query of the address, including the question mark."""
        parts = [] if self.to is None else [("to", str(self.to))]
        parts += [("then", ";".join(self.then))] if self.then else []
        parts += [("watch", watch) for watch in self.watches]
        parts += [("rest", "1")] if self.rest else []
        return f"?{urlencode(parts)}"


@dataclass(frozen=True, slots=True)
class Watch:
    """An expression and its value in each state of the run; `problem` is the reason if it has none."""

    text: str
    values: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Follows:
    """What can follow: the status of a property in words, and the schedule that shows it, if there is one."""

    text: str
    then: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Live:
    """A run of the model. `trace` is the whole run; its first `to` steps are those of `origin`, the trace in the file,
    and `own` are the segments after these. `problem` says why the run does not go as far as requested."""

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
        """Whether this is exactly the run of the file."""
        return not self.own and self.to == len(self.origin.steps)


class Explorer(Protocol):
    """Runs the model of a trace."""

    def __call__(self, found: Found, request: RunRequest, depth: int = 1) -> Live | str:
        """The requested run, with the steps beside it up to `depth`; a sentence if there is no such run."""
        ...


def request_of(query: str) -> RunRequest:
    """The request in the query of an address; what is not understood is ignored."""
    found: Mapping[str, list[str]] = parse_qs(query[:60_000], max_num_fields=40)
    to = found.get("to", [""])[0]
    then = [segment.strip() for segment in found.get("then", [""])[0].split(";")]
    watches = [watch.strip() for watch in found.get("watch", []) if watch.strip()]
    return RunRequest(
        int(to) if to.isascii() and to.isdigit() and len(to) < 7 else None,
        tuple(filter(None, then))[:MOST_SEGMENTS],
        tuple(dict.fromkeys(watches))[:MOST_WATCHES],
        found.get("rest", [""])[0] == "1",
    )
