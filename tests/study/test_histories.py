"""The verdicts of `study` and the property families are the same on every run, and those of every order of the calls.

Each end of each product is judged three times: by the properties, as `check` would; by `outcomes`; and by the orders of
the calls (histories.py), from a log that the products keep here of which call had ended when another began.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import combinations_with_replacement

import pytest
from histories import Before, Called, verdict
from register_log import Log

from dio_mc.kernel.families import JUDGES
from dio_mc.kernel.register import VALUES
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.study.observe import Reader
from dio_mc.study.registry import Rule, Workload, open_registry, product, reads_as, together
from dio_mc.study.tags import tag

SHELF = open_registry()
NAMES = {value.name for value in VALUES}
WRITERS = {"write": "write", "direct_write": "write", "aio_write": "write", "mmap_store": "write", "truncate": "write",
           "punch_hole": "punch"}  # fmt: skip
READERS = ("read", "direct_read", "aio_read", "mmap_load")
SOME = os.environ.get("DIO_MC_HISTORIES", "some")
"""``some`` of the pairs, others under each rule; all ``pairs`` take half an hour, ``triples`` hours."""
EVERY = 8
"""Of the pairs, under each rule, one in so many is compared by default."""


def ends(interpreter: Interpreter) -> Iterator[State]:
    """All states where nothing can run."""
    seen = set(interpreter.initial())
    waiting = list(seen)
    while waiting:
        state = waiting.pop()
        steps = interpreter.successors(state)
        if not steps:
            yield state
        fresh = {step.state for step in steps if step.fault is None} - seen
        seen |= fresh
        waiting += fresh


class Logged:
    """What a program's log says, in its states."""

    def __init__(self, interpreter: Interpreter, operations: tuple[str, ...]) -> None:
        names = [thread.name for thread in interpreter.program.threads]
        self.cells = {name: cell for cell, name in enumerate(interpreter.layout.names)}
        self.threads = [(names.index(f"t{k}_{name}"), name) for k, name in enumerate(operations)]

    def calls(self, state: State, wrote: dict[int, str], outcome: dict[int, str]) -> tuple[tuple[Called, ...], Before]:
        """The calls that can be judged, and their order."""
        made: list[tuple[int, Called]] = []
        for thread, name in self.threads:
            given = outcome[thread]
            if name in READERS and given in NAMES:
                made.append((thread, Called("read", given)))
            elif name in WRITERS and given == "EOF" and name == "mmap_store":
                made.append((thread, Called("read", "EOF")))
            elif name in WRITERS:
                made.append((thread, Called("refused" if given == "EIO" else WRITERS[name], wrote[thread])))
        before = {
            (a, b)
            for a, (first, _) in enumerate(made)
            for b, (second, _) in enumerate(made)
            if a != b and state[self.cells[f"began[{second}].had_ended[{first}]"]]
        }
        return tuple(call for _, call in made), frozenset(before)


def wrote(operations: tuple[str, ...], logged: Logged) -> dict[int, str]:
    """What each thread meant to write."""
    fixed = {"punch_hole": "ZERO", "truncate": "EOF"}
    return {thread: fixed.get(name, "NEW" if k == 0 else "NEWER") for k, (thread, name) in enumerate(logged.threads)}


def compare(workload: Workload, rule: Rule) -> Counter[str]:
    """How often each verdict was given; raises where two of the three differ."""
    found: Counter[str] = Counter()
    for layout, program in product(workload, rule, (Log, *JUDGES)).items():
        interpreter = Interpreter(program)
        reader, logged = Reader(interpreter), Logged(interpreter, workload.calls)
        initial = reads_as(layout).name
        for state in ends(interpreter):
            seen = reader.observe(state)
            if seen.stuck or seen.reported or seen.media not in NAMES:
                continue
            outcome = {thread: reader.data(state, "outcome", thread) for thread, _ in logged.threads}
            calls, before = logged.calls(state, wrote(workload.calls, logged), outcome)
            right = verdict(calls, before, initial, seen.media)
            lost, stale = "no_lost_write" in seen.violated, {"read_after_ack", "monotonic_read"} & set(seen.violated)
            assert ("lost" if lost else "stale" if stale else "ok") == right, (program.name, calls, before, seen)
            bad = {"no_stale_exposure", "no_freed_io", "coherent_at_rest"} & set(seen.violated)
            given = set(outcome.values()) & {"EIO", "TORN", "UNTOUCHED", "STALE"}
            if not bad and not given:
                assert tag(seen, initial).verdict == right
            found[right] += 1
    return found


@pytest.mark.parametrize("name", SHELF.rules)
def test_three_judges_agree_on_pairs(name: str) -> None:
    rule, found = SHELF.rules[name], Counter[str]()
    groups = list(combinations_with_replacement(SHELF.operations, 3 if SOME == "triples" else 2))
    for operations in groups[list(SHELF.rules).index(name) % EVERY :: EVERY] if SOME == "some" else groups:
        if not rule.unsupported & set(operations):
            found += compare(together(SHELF, operations), rule)
    assert found["ok"] > 0


def test_three_judges_agree_on_triples_that_race() -> None:
    found = Counter[str]()
    for operations in combinations_with_replacement(("read", "direct_write", "mmap_store"), 3):
        for name in ("generic_2005", "placeholder"):
            found += compare(together(SHELF, operations), SHELF.rules[name])
    assert found["stale"] > 0
    assert found["ok"] > 0
