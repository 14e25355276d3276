"""A counterexample as a case for real kernels: the calls of each thread, the places at which
threads are held, and the results that confirm it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from dio_mc.errors import usage_error
from dio_mc.lang.declarations import Kernel
from dio_mc.machine.programs import CALLS, FURTHER, WRITES, programs
from dio_mc.machine.schedule import GUEST_LAYOUTS, Ran
from dio_mc.machine.seen import WRITEBACK, of_trace
from dio_mc.study.registry import Workload
from dio_mc.study.tags import WORDS, Tagged
from dio_mc.trace.trace import Trace, TraceStep


@dataclass(frozen=True, slots=True)
class Turn:
    """A thread's turn between two context switches. `step` is its first step in the trace. With `held` the thread is
    left in the middle of its calls, at kernel function `function` if the model or its binding names one."""

    thread: int
    step: int
    held: bool = False
    function: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A case.

    Threads that have results come first; a flusher is last and has none. The case is confirmed by
    `results`, `after` (the content of the file) and `verdict`; None means that any will do. `rest`
    is the required second half of the page on disk, and `warns` a function in which the kernel must
    report a bug of its own; empty means no requirement.
    """

    layout: str
    threads: tuple[str, ...]
    programs: tuple[str, ...]
    turns: tuple[Turn, ...]
    results: tuple[tuple[str, str], ...]
    after: str | None = None
    verdict: str | None = None
    file_system: str = ""
    mount: str = ""
    rest: str = ""
    warns: str = ""

    @property
    def users(self) -> tuple[str, ...]:
        """The threads that have results."""
        return tuple(n for n, p in zip(self.threads, self.programs, strict=True) if not p.startswith(WRITEBACK))

    @property
    def expected(self) -> str:
        """What confirms the case, in one line."""
        said = [", ".join(f"{name} {result}" for name, result in self.results)]
        said += [f"file {self.after}"] if self.after not in (None, "-") else []
        said += [f"its second half {self.rest}"] if self.rest else []
        said += [f"the kernel warns in {self.warns}"] if self.warns else []
        said += ["deadlock"] if self.verdict == "deadlock" and not self.results else []
        return "; ".join(filter(None, said))

    def confirmed_by(self, ran: Ran, seen: Tagged) -> bool:
        """Return whether the results of a run, and its tagged observation, confirm the case."""
        if self.rest and (not ran.rest or WORDS.get(ran.rest[-1]) != self.rest):
            return False
        if self.warns and not any(place.endswith(tuple(self.warns.split(", "))) for place in ran.warned):
            return False
        given = dict(seen.results)
        if self.verdict == "deadlock" or seen.verdict == "deadlock":
            return self.verdict == seen.verdict
        same = all(given.get(name) == result for name, result in self.results)
        return same and self.after in (None, seen.after) and self.verdict in (None, seen.verdict)


def of_product(trace: Trace, workload: Workload, rule: str, layout: str) -> Case:
    """The case for a run of a rule and a workload; the rule's name determines the file system."""
    calls = programs(workload)
    daemons = [t.name for t in trace.threads if t.daemon and any(s.thread == t.name for s in trace.steps)]
    flushes = ",".join([WRITEBACK] * _rounds(trace, daemons[0])) if daemons else ""
    names = (*calls, *daemons[:1])
    turns = _turns(trace, {name: number for number, name in enumerate(names)}, {})
    texts = (*calls.values(), *([flushes] if flushes else []))
    end = of_trace(trace, tuple(calls), layout)
    return Case(layout, names, texts, turns, end.results, end.after, end.verdict, *file_system_of(rule))


def _rounds(trace: Trace, daemon: str) -> int:
    """The number of rounds that a daemon begins."""
    places = [step.location for step in trace.steps if step.thread == daemon]
    return places.count(places[0])


def of_model(trace: Trace, binding: Kernel) -> Case:
    """The case for a model's own counterexample, by the binding in its file. Raises `ModelError` DIO285 if the binding
    is incomplete."""
    shows = binding.shows.get(trace.property) or binding.shows.get(trace.property.partition("@")[0])
    if shows is None:
        known = ", ".join(binding.shows) or "none"
        raise usage_error(
            "DIO285",
            f"the model's binding does not say how a violation of {trace.property} shows",
            hint=f"it does for: {known}",
        )
    there = [thread.name for thread in trace.threads]
    unbound = [name for name in there if name not in binding.threads and any(s.thread == name for s in trace.steps)]
    if unbound:
        raise usage_error("DIO285", f"the model's binding does not say which calls stand for thread `{unbound[0]}`")
    bound = sorted(
        ((name, calls) for name, calls in binding.threads.items() if name in there and calls),
        key=lambda pair: pair[1].startswith(WRITEBACK),
    )
    _check(binding, [call for _, calls in bound for call in calls.split(",")])
    numbers = {name: number for number, (name, _) in enumerate(bound)}
    turns = _stated(trace, numbers, binding.turns) if binding.turns else _turns(trace, numbers, binding.gates)
    names, calls = tuple(name for name, _ in bound), tuple(calls for _, calls in bound)
    results = tuple((name, result) for name, result in shows.items() if name in names)
    return Case(
        binding.layout, names, calls, turns, results, shows.get("file"),
        "deadlock" if shows.get("all") == "deadlock" else None, binding.file_system, binding.mount,
        shows.get("second half", ""), shows.get("kernel", ""),
    )  # fmt: skip


def _check(binding: Kernel, calls: Sequence[str]) -> None:
    """Reject calls and layouts that a guest does not know, because it would ignore them."""
    unknown = [call for call in calls if call.partition(":")[0] not in (*CALLS, *FURTHER)]
    unknown += [call for call in calls if call.partition(":")[2] not in ("", *WRITES)]
    if unknown:
        raise usage_error("DIO285", f"the model's binding has a call that a guest cannot make: `{unknown[0]}`")
    if binding.layout not in GUEST_LAYOUTS:
        hint = f"there are: {', '.join(GUEST_LAYOUTS)}"
        raise usage_error("DIO285", f"the model's binding has an unknown layout: `{binding.layout}`", hint=hint)


def file_system_of(rule: str) -> tuple[str, str]:
    """The file system and mount options of the kernels that a rule describes, by the rule's name."""
    if rule in ("ext4_nodelalloc",):
        return "ext4", "nodelalloc,dioread_lock"
    if rule == "btrfs_nodatasum":
        return "btrfs", "nodatasum"
    return next(((name, "") for name in ("ext3", "xfs", "btrfs") if rule.startswith(name)), ("ext4", ""))


def _turns(trace: Trace, numbers: Mapping[str, int], gates: Mapping[str, str]) -> tuple[Turn, ...]:
    """The turns of a trace. Completions spawned by the model run in the kernel itself and have no turn."""
    steps = [step for step in trace.steps if step.thread in numbers]
    groups = [(name, list(group)) for name, group in groupby(steps, key=lambda step: step.thread)]
    turns: list[Turn] = []
    for at, (name, group) in enumerate(groups):
        later = next((other[0] for other_name, other in groups[at + 1 :] if other_name == name), None)
        turns.append(_turn(numbers[name], name, group[0].number, later, gates))
    return tuple(turns)


def _stated(trace: Trace, numbers: Mapping[str, int], text: str) -> tuple[Turn, ...]:
    """The turns as a binding writes them: ``reader until submit_bio, mapper, reader``."""
    turns: list[Turn] = []
    for one in text.split(", "):
        name, until, function = one.partition(" until ")
        if name not in numbers:
            raise usage_error("DIO285", f"the turns of the model's binding name a thread `{name}` that has no calls")
        first = next((step.number for step in trace.steps if step.thread == name), 1)
        turns.append(Turn(numbers[name], first, bool(until), function))
    return tuple(turns)


def _turn(number: int, name: str, first: int, later: TraceStep | None, gates: Mapping[str, str]) -> Turn:
    if later is None:
        return Turn(number, first, held=name in gates, function=gates.get(name, ""))
    operations = [f"{name}.{operation}" for operation in reversed(later.operations)]
    own = next((gates[operation] for operation in [*operations, f"{name}.*"] if operation in gates), None)
    anchor = (later.anchor or "").partition("@")[0].strip().rpartition(":")[2]
    return Turn(number, first, held=True, function=own or anchor)
