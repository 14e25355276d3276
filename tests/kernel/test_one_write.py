"""The register of one write against every order of the calls: over all histories of a write and two reads."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations_with_replacement, product

import pytest
from histories import Before, Called, verdict

from dio_mc.frontend.build import build
from dio_mc.frontend.load import load_module
from dio_mc.kernel.register import VALUES
from dio_mc.kernel.words import Data
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

MODEL = '''
from dio_mc import Array, Range, Var, atomic, invariant, thread, threads
from dio_mc.kernel import Data
from dio_mc.kernel.one_write import OneWrite
from dio_mc.kernel.register import CALL, Given


class Calls(OneWrite):
    """Calls of two steps: it begins, it ends. `past[a * 3 + b]`: a had ended when b began."""

    kind = Array(Range(0, 3), size=3)
    value = Array(Data, size=3)
    at = Array(bool, size=3)
    ended = Array(bool, size=3, ghost=True)
    past = Array(bool, size=9, ghost=True)
    final = Var(Data)

    @thread(instances=3)
    def caller(self, k):
        with atomic():
            kind, value = self.kind[k], self.value[k]
        for a in range(3):
            self.past[a * 3 + k] = self.ended[a]
        if kind == 0:
            self.read_begins(CALL)
        elif kind == 1:
            self.write_begins(CALL, value)
        else:
            self.punch_begins(CALL)
        self.at[k] = True
        self.ended[k] = True
        if kind == 0:
            self.read_ends(CALL, value)
        elif kind == 1:
            self.write_ends(CALL, value)
        else:
            self.punch_ends(CALL)

    @invariant
    def not_lost(self):
        return not self.overwritten(self.final)

    @invariant
    def not_stale(self):
        return all(self.given[t] == Given.FINE for t in threads()) and not self.backwards(self.final)
'''
KINDS = ("read", "write", "punch")
READS = [Called("read", value.name) for value in VALUES]
WRITES = [Called("write", "NEW"), Called("write", "EOF"), Called("punch", "ZERO")]


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    path = tmp_path_factory.mktemp("one_write") / "calls.py"
    path.write_text(MODEL)
    return Interpreter(build(load_module(path).models[0], {}).program)


def started(interpreter: Interpreter, made: tuple[Called, ...], initial: str) -> State:
    cells = {name: cell for cell, name in enumerate(interpreter.layout.names)}
    state = list(interpreter.initial()[0])
    for k, call in enumerate(made):
        state[cells[f"kind[{k}]"]] = KINDS.index(call.kind)
        state[cells[f"value[{k}]"]] = Data[call.value].value
    state[cells["before"]] = Data[initial].value
    return tuple(state)


def ends(interpreter: Interpreter, start: State) -> list[State]:
    seen, waiting, found = {start}, [start], []
    while waiting:
        steps = interpreter.successors(state := waiting.pop())
        assert all(step.fault is None and step.state is not None for step in steps)
        fresh = {step.state for step in steps if step.state is not None} - seen
        seen |= fresh
        waiting += fresh
        found += [] if steps else [state]
    return found


class Judges:
    """What the properties say of reads, and of a file that has something at the end."""

    def __init__(self, interpreter: Interpreter) -> None:
        properties = {p.name: p.expr for p in interpreter.program.properties if p.expr is not None}
        words = (("not_lost", "lost"), ("not_stale", "stale"))
        self.holds = [(interpreter.compiled(properties[name])[0], word) for name, word in words]
        self.final = interpreter.layout.names.index("final")

    def said(self, state: State, final: str) -> str:
        cells = (*state[: self.final], Data[final].value, *state[self.final + 1 :])
        return next((word for holds, word in self.holds if not holds(cells)), "ok")


@pytest.mark.parametrize("initial", ["OLD", "ZERO"])
def test_all_histories_of_a_write_and_two_reads(calls: Interpreter, initial: str) -> None:
    cells = {name: cell for cell, name in enumerate(calls.layout.names)}
    judged: Counter[str] = Counter()
    judges, evaluator = Judges(calls), cache(verdict)
    for write, reads in product(WRITES, combinations_with_replacement(READS, 2)):
        made = (write, *reads)
        for state in ends(calls, started(calls, made, initial)):
            pairs = product(range(3), range(3))
            before: Before = frozenset((a, b) for a, b in pairs if state[cells[f"past[{a * 3 + b}]"]])
            for final in (value.name for value in VALUES):
                right = evaluator(made, before, initial, final)
                judged[right] += 1
                assert judges.said(state, final) == right, (made, sorted(before), final)
    assert judged.keys() == {"ok", "stale", "lost"}
