"""Relaxed variables: what a thread sees, when stores reach memory, and what is an error. Counts: tests/toys."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.semantics.interpreter import Interpreter


def interpreted(folder: Path, text: str) -> Interpreter:
    (folder / "model.py").write_text("from dio_mc import *\n\n" + textwrap.dedent(text))
    return Interpreter(build(load_module(folder / "model.py").models[-1]).program)


HEAD = """
class M(Model):
    {more}
    x, y = Var(Range(0, 2), ordering="relaxed"), Var(Range(0, 2), ordering="relaxed")
    z = Var(Range(0, 2))
    past = Var(bool, ghost=True)
    m = Mutex()

    @operation()
    def op(self):
        self.z = 1
"""


def reached(folder: Path, *bodies: str, more: str = "pass") -> tuple[list[dict[str, int]], set[str], bool]:
    """All states by cell names; faults; whether some state is stuck."""
    text = HEAD.format(more=more)
    for number, body in enumerate(bodies):
        text += f"\n    @thread\n    def t{number}(self):\n{textwrap.indent(body, ' ' * 8)}\n"
    interpreter = interpreted(folder, text)
    layout = interpreter.layout
    seen, faults, stuck = dict.fromkeys(interpreter.initial()), set(), False
    for state in (waiting := list(seen)):
        steps = interpreter.successors(state)
        stuck |= not steps and any(state[pc] for pc in layout.pc[: len(bodies)])
        faults |= {step.fault.kind for step in steps if step.fault is not None}
        fresh = {s.state for s in steps if s.state is not None and s.state not in seen}
        seen.update(dict.fromkeys(fresh))
        waiting += fresh
    return [dict(zip(layout.names, state, strict=True)) for state in seen], faults, stuck


def test_a_thread_sees_its_own_stores_the_newest_first(tmp_path: Path) -> None:
    body = "self.x = 1\nself.x = 2\nv = self.x\nassert v == 2"
    states, faults, stuck = reached(tmp_path, body)
    assert (faults, stuck) == (set(), False)
    assert {s["x"] for s in states} == {0, 1, 2}


def test_stores_of_one_variable_reach_memory_in_order(tmp_path: Path) -> None:
    for more in ("pass", 'memory_model = "pso"'):
        reader = "v = self.x\nw = self.x\nassert w >= v"
        _, faults, _ = reached(tmp_path, "self.x = 1\nself.x = 2", reader, more=more)
        assert faults == set()


def test_a_full_buffer_waits(tmp_path: Path) -> None:
    one, two = "self.x = 1\nself.y = 1\nself.z = 1", "store_buffer = 1"
    states, _, stuck = reached(tmp_path, one, more=two)
    assert not stuck
    assert not any(s["store_buffer.which[0][0]"] and s["x"] == 0 and s["y"] for s in states)
    assert "store_buffer.which[0][1]" not in states[0]


@pytest.mark.parametrize("last", ["self.z = 1", "self.m.lock()\nself.m.unlock()", "smp_mb()", "spawn(self.op)"])
def test_what_else_is_written_waits_for_the_buffer(tmp_path: Path, last: str) -> None:
    states, _, stuck = reached(tmp_path, f"self.x = 1\n{last}\nself.past = True")
    assert not stuck
    assert {s["x"] for s in states if s["past"]} == {1}


def test_history_does_not_wait(tmp_path: Path) -> None:
    states, _, _ = reached(tmp_path, "self.x = 1\nself.past = True")
    assert {s["x"] for s in states if s["past"]} == {0, 1}


def test_read_modify_write_is_of_what_the_thread_sees(tmp_path: Path) -> None:
    states, faults, _ = reached(tmp_path, "self.x += 1\nself.x += 1")
    assert (max(s["x"] for s in states), faults) == (2, set())


def test_outside_its_type_is_a_fault_at_the_store(tmp_path: Path) -> None:
    _, faults, _ = reached(tmp_path, "v = self.z\nself.x = v + 3")
    assert faults == {"range"}


WRONG = [
    ("self.x, self.y = 1, 1", "DIO114", "a relaxed variable is stored to beside others", "one statement stores to one relaxed variable"),
    ("self.x, self.z = 1, 1", "DIO114", "a relaxed variable is stored to beside others", "one statement stores to one relaxed variable"),
    ("self.x = choose(0, 1)", "DIO114", "a relaxed variable is chosen", "choose into a local first"),
    ("smp_mb(1)", "DIO111", "`smp_mb` takes nothing", ""),
    ("smp_store_release(self.x)", "DIO111", "`smp_store_release` takes a variable and a value", ""),
    ("smp_store_release(self.z, 1)", "DIO114", "this is not a relaxed variable",
     'declare it with `ordering="relaxed"`; all others are in order anyway'),
    ("v = smp_load_acquire(self.z)", "DIO114", "this is not a relaxed variable",
     'declare it with `ordering="relaxed"`; all others are in order anyway'),
    ("v = smp_load_acquire()", "DIO111", "`smp_load_acquire` takes a variable", ""),
    ("crash()", "DIO114", "a relaxed variable beside a crash", "a model has relaxed variables or crashes"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "message", "hint"), WRONG, ids=[w[0] for w in WRONG])
def test_what_cannot_be_is_an_error_where_it_stands(
    tmp_path: Path, body: str, code: str, message: str, hint: str
) -> None:
    with pytest.raises(ModelError) as error:
        reached(tmp_path, body, more='durable = ("z",)')
    found = error.value.diagnostics[0]
    assert (found.code, found.message, found.hint) == (code, message, hint)
    assert found.span is not None
    assert found.span.line == 2 + HEAD.count("\n") + 4


def test_a_barrier_without_a_relaxed_variable_is_an_error(tmp_path: Path) -> None:
    text = """
    class M(Model):
        z = Var(bool)
        @thread
        def t(self):
            self.z = True
            smp_wmb()
    """
    with pytest.raises(ModelError) as error:
        interpreted(tmp_path, text)
    (found,) = error.value.diagnostics
    assert found.message == "`smp_wmb` orders nothing: no variable is relaxed"
    assert found.hint == 'declare a variable with `ordering="relaxed"`'


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            "x = Var(bool, ghost=True, ordering='relaxed')",
            "`x` cannot be relaxed: only a scalar that is not a ghost can",
        ),
        (
            "which = Var(bool, ordering='relaxed')",
            "a relaxed variable cannot be called `which`: a part of the store buffers is",
        ),
        ("x = Var(bool, ordering='relaxed')\n    memory_model = 'arm'", "memory_model is 'arm'; there are: tso, pso"),
        ("x = Var(bool, ordering='relaxed')\n    store_buffer = 0", "store_buffer is 0; a buffer holds 1 to 8 stores"),
    ],
)
def test_a_wrong_declaration_is_an_error(tmp_path: Path, declared: str, message: str) -> None:
    text = f"class M(Model):\n    {declared}\n    z = Var(bool)\n    @thread\n    def t(self):\n        self.z = True\n"
    with pytest.raises(ModelError) as error:
        interpreted(tmp_path, text)
    assert error.value.diagnostics[0].message == message
    assert error.value.diagnostics[0].span is not None
