"""What studies say of random programs, against its definition: "equivalent" of a mutant, the runs of a sweep."""

from __future__ import annotations

import json
from pathlib import Path

import oracle_properties
import pytest
from checker import Checker
from click.testing import CliRunner
from oracle import Oracle

from dio_mc.cli import cli
from dio_mc.frontend import build, load_module
from dio_mc.mutation.mutants import mutants_of
from dio_mc.mutation.same import same_behaviour

from .plain import plain

MOST = 400
"""States."""


def shown(program: object) -> tuple[object, ...] | None:
    """What anybody can tell of a program's runs: data by data where steps lead, where nothing moves any more."""
    found = Checker(program).explore(MOST)
    if found is None:
        return None
    steps = {(before[0], thread, after[0]) for before, thread, after in found.edges}
    return steps, {values for values, _ in found.deadlocks}, {values for values, _ in found.states}


def test_an_equivalent_mutant_cannot_be_told_apart(tmp_path: Path) -> None:
    """Equivalent mutants have the same steps between the same data, the same deadlocks and the same violations."""
    equivalent = others = 0
    for seed in range(100, 125):
        path = tmp_path / f"m{seed}.py"
        path.write_text(plain(seed))
        (model,) = load_module(path).models
        program = build(model).program
        whole = shown(program)
        if whole is None:
            continue
        for mutant in mutants_of(model)[:8]:
            changed = build(mutant.of(model)).program
            if not same_behaviour(program, changed):
                others += 1
                continue
            equivalent += 1
            assert shown(changed) == whole, f"{mutant.text}\n{plain(seed)}"
    assert equivalent > 10
    assert others > 50


SWEPT = """\
from dio_mc import *

class M(Model):
    n = Param(2, min=1, max=4)
    x = Array(Range(0, 2), size=n)
    count = Var(Range(0, 3))
    m = Mutex()

    @thread(instances=n)
    def t(self, k):
        self.x[k] = 1
        v = self.count
        self.count = v + 1
        if self.n > 2:
            self.m.lock()

    @thread
    def u(self):
        wait_until(self.count == self.n)

    @invariant
    def p(self):
        return self.count < 2

    @reachable
    def q(self):
        return sum(1 for i in range(self.n) if self.x[i] == 1) == 3
"""


def test_a_sweep_says_of_each_value_what_the_oracle_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict of each property, and faults and deadlock, for each value of the parameter."""
    (tmp_path / "m.py").write_text(SWEPT)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["check", "m.py", "--sweep", "n=1..3", "--output-format", "json", "--no-artifacts"])
    told = {report["params"]["n"]: report for report in json.loads(done.stdout)["models"]}
    found = set()
    for n in (1, 2, 3):
        oracle = Oracle(SWEPT, params={"n": n})
        graph = oracle.graph(20_000)
        assert graph is not None
        expected = oracle_properties.answer(oracle, graph).violated(oracle_properties.kinds(oracle))
        violated = {p["name"] for p in told[n]["properties"] if p["verdict"] == "VIOLATED"} - {"faults"}
        assert violated == expected, n
        found.add(frozenset(violated))
    assert len(found) == 3
