"""Guarded commands say what the program says: as many states and transitions as the reference interpreter finds."""

import os
from pathlib import Path

import pytest
from asking import explore_reference as explore
from guarded import reached
from ir_builder import DIGIT, block, cell, less, load, own, plus, program, put, template, variable
from random_programs import random_program

from dio_mc.checking.expectations import bindings_of
from dio_mc.errors import ModelError
from dio_mc.export.commands import commands_of
from dio_mc.export.terms import Read, combine, conj, disj, interval, neg, select
from dio_mc.frontend import build, load_module
from dio_mc.ir.ops import Branch
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Budget

ROOT = Path(__file__).resolve().parents[2]
ALL = bool(os.environ.get("DIO_MC_EXPORT_ALL"))
FILES = [f for name in ("seed", "toys") for f in sorted((ROOT / "models" / name).glob("*.py"))]
FILES += sorted((ROOT / "models" / "history").glob("*.py"))[:: 1 if ALL else 4]
MOST = 20_000 if ALL else 1_000


def compare(made) -> bool:
    found = explore(made, [], Budget(max_states=MOST))
    if not found.complete:
        return False
    states, transitions, faults = reached(commands_of(made), Interpreter(made).initial())
    assert (states, transitions) == (found.states, found.transitions)
    assert (faults > 0) == any(v.property != "deadlock" and v.schedule for v in found.violations)
    return True


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_models(path: Path) -> None:
    for model in load_module(path, allow_empty=True).models:
        for params, _ in bindings_of(model, {}):
            compare(build(model, params).program)


@pytest.mark.parametrize("group", range(4))
def test_random_programs(group: int) -> None:
    compared = 0
    for seed in range(group * 25, group * 25 + 25):
        try:
            compared += compare(random_program(seed))
        except ModelError as error:
            assert [d.code for d in error.diagnostics] == ["DIO241"]  # noqa: PT017  # most have no such loop
    assert compared >= 8


def test_a_long_local_loop_is_refused() -> None:
    again = Branch(less(load(0), 9), 1, 2)
    body = template(block(put(own(0), 0), to=1, location=1), block(to=again), block(), locals_=[(DIGIT, 0)])
    with pytest.raises(ModelError) as caught:
        commands_of(program([variable("a", DIGIT)], [body]))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "DIO241"
    assert diagnostic.message == "this step runs a loop of local statements that may be long: it cannot be exported"
    assert diagnostic.hint == "the loop must end after a number of rounds that does not depend on the state"


def test_a_loop_whose_rounds_are_known_is_unrolled() -> None:
    count = put(own(0), plus(own_value(), 1))
    again = Branch(less(own_value(), 4), 1, 2)
    body = template(
        block(put(own(0), 0), to=1, location=1), block(count, to=again), block(put(cell(0), own_value())),
        locals_=[(DIGIT, 0)],
    )  # fmt: skip
    (command,) = commands_of(program([variable("a")], [body]))
    assert (0, 4) in command.updates


def own_value():
    from dio_mc.ir.expr import Local

    return Local(0, "l0", DIGIT)


def test_terms_fold() -> None:
    a, b = Read(0), Read(1)
    same = combine("==", a, 1)
    assert conj([1, same, same]) == same
    assert conj([same, neg(same)]) == 0
    assert neg(neg(conj([a, b]))) == conj([a, b])
    assert disj([0, a]) == a
    assert select(a, 1, 0) == a
    assert select(same, b, b) == b
    assert combine("//", -3, 2) == -2
    assert combine("<=", a, a) == 1
    assert interval(combine("-", a, b), [(0, 3), (1, 2)]) == (-2, 2)
    assert interval(combine("%", a, 3), [(-9, 9)]) == (0, 2)
    assert interval(select(same, 7, b), [(0, 1), (-1, 2)]) == (-1, 7)
