"""The register's bookkeeping against every order of the calls: over all histories of three calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations_with_replacement, product
from pathlib import Path

import pytest
from histories import Before, Called, verdict

from dio_mc.frontend.build import build
from dio_mc.frontend.load import load_module
from dio_mc.kernel.register import ACKED, SEEN, VALUES, Given, Stage
from dio_mc.kernel.words import Data
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

MODEL = '''
from dio_mc import Array, Range, atomic, thread
from dio_mc.kernel import Data
from dio_mc.kernel.register import CALL, REQUEST, Register


class Calls(Register):
    """Calls of two steps: it begins, it ends. `before[a * 3 + b]`: a had ended when b began."""

    kind = Array(Range(0, 4), size=3)
    value = Array(Data, size=3)
    at = Array(bool, size=3)
    ended = Array(bool, size=3, ghost=True)
    before = Array(bool, size=9, ghost=True)

    @thread(instances=3)
    def caller(self, k):
        with atomic():
            kind, value = self.kind[k], self.value[k]
        for a in range(3):
            self.before[a * 3 + k] = self.ended[a]
        if kind == 0:
            self.read_begins(CALL)
        elif kind == 2:
            self.punch_begins(SLOT)
        else:
            self.write_begins(SLOT, value)
        self.at[k] = True
        self.ended[k] = True
        if kind == 0:
            self.read_ends(CALL, value)
        elif kind == 1:
            self.write_ends(SLOT, value)
        elif kind == 2:
            self.punch_ends(SLOT)
        elif kind == 3:
            self.write_refused(SLOT, value)
        else:
            self.write_past_end(SLOT, value)
'''
ASYNCHRONOUS = (
    ("self.read_begins(CALL)", "self.read_begins(REQUEST)"),
    ("self.read_ends(CALL, value)", "self.request_ends(value)"),
    ("self.write_ends(SLOT, value)", "self.request_ends(value)"),
    ("self.write_refused(SLOT, value)", "self.request_ends(Data.EIO)"),
)
"""Reads and writes as requests, whose result is all that is told when they end."""
KINDS = ("read", "write", "punch", "refused", "sigbus")
READS = [Called("read", value.name) for value in VALUES]
WRITES = [Called("write", "NEW"), Called("write", "NEWER")]
PUNCH, TRUNCATE, REFUSED = Called("punch", "ZERO"), Called("write", "EOF"), Called("refused", "NEW")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    path = tmp_path_factory.mktemp("register") / "calls.py"
    path.write_text(MODEL.replace("SLOT", "REQUEST"))
    return Interpreter(build(load_module(path).models[0], {}).program)


class Cells:
    """The cells of the model by name, in states."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.of = {name: cell for cell, name in enumerate(interpreter.layout.names)}

    def start(self, state: State, made: tuple[Called, ...], initial: str) -> State:
        """The initial state with these calls, of a file that has this."""
        cells = list(state)
        for k, call in enumerate(made):
            cells[self.of[f"kind[{k}]"]] = KINDS.index(call.kind)
            cells[self.of[f"value[{k}]"]] = Data[call.value].value
        for account, v in product((SEEN, ACKED), range(len(VALUES))):
            stage = Stage.SETTLED if VALUES[v].name == initial else Stage.GONE
            cells[self.of[f"stage[{account}][{v}]"]] = stage.value
        return tuple(cells)

    def before(self, state: State) -> Before:
        return frozenset((a, b) for a, b in product(range(3), range(3)) if state[self.of[f"before[{a * 3 + b}]"]])

    def verdict(self, state: State, final: str) -> str:
        """What the families say: of the file at the end, and of the reads."""
        v = [value.name for value in VALUES].index(final)
        if state[self.of[f"stage[{ACKED}][{v}]"]] == Stage.GONE.value:
            return "lost"
        wrong = any(state[self.of[f"given[{k}]"]] != Given.FINE.value for k in range(3))
        return "stale" if wrong or state[self.of[f"stage[{SEEN}][{v}]"]] == Stage.GONE.value else "ok"


def ends(interpreter: Interpreter, start: State) -> Iterator[State]:
    """All states where the three calls have ended."""
    seen, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        steps = interpreter.successors(state)
        assert all(step.fault is None for step in steps)
        if not steps:
            yield state
        fresh = {step.state for step in steps} - seen
        seen |= fresh
        waiting += fresh


def differences(interpreter: Interpreter, choices: list[Called], initial: str) -> tuple[Counter[str], Counter[str]]:
    """Over all histories of three of these calls and all files at the end: how many have which verdict, and how many
    the families judge otherwise."""
    cells, (first, *_) = Cells(interpreter), interpreter.initial()
    evaluator = cache(verdict)
    judged: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for made in combinations_with_replacement(choices, 3):
        for state in ends(interpreter, cells.start(first, made, initial)):
            for final in (value.name for value in VALUES):
                right = evaluator(tuple(_meant(call) for call in made), cells.before(state), initial, final)
                judged[right] += 1
                found = cells.verdict(state, final)
                if found != right:
                    wrong[f"{right}, said to be {found}"] += 1
    return judged, wrong


def _meant(call: Called) -> Called:
    """A store that finds no page has read that there is none."""
    return Called("read", "EOF") if call.kind == "sigbus" else call


def test_all_histories_of_three_requests(tmp_path: Path) -> None:
    """The same of asynchronous calls. A refused one, which has taken effect before it ended or never, is no longer under
    way when a later write begins."""
    text = MODEL
    for call, request in ASYNCHRONOUS:
        assert text.count(call) == 1
        text = text.replace(call, request)
    path = tmp_path / "requests.py"
    path.write_text(text.replace("SLOT", "REQUEST"))
    requests = Interpreter(build(load_module(path).models[0], {}).program)
    judged, wrong = differences(requests, sorted([*READS[1:4], *WRITES, REFUSED]), "OLD")
    assert judged.keys() == {"ok", "stale", "lost"}
    assert wrong == {}


@pytest.mark.parametrize(("initial", "more"), [("OLD", REFUSED), ("ZERO", TRUNCATE)], ids=["refused", "truncate"])
def test_all_histories_of_three_calls(calls: Interpreter, initial: str, more: Called) -> None:
    judged, wrong = differences(calls, sorted([*READS, *WRITES, PUNCH, more]), initial)
    assert judged.keys() == {"ok", "stale", "lost"}
    assert wrong == {}
