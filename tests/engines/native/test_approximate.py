"""Hash compaction and bit-state search: what they leave out is told, what they find is real."""

from __future__ import annotations

import re
from pathlib import Path

import asking
import pytest
from asking import explore_reference as explore
from click.testing import CliRunner
from ir_builder import evaluator, observation
from random_programs import random_program
from test_equality import evaluators_for
from test_wide_states import chain

from dio_mc.cli import cli
from dio_mc.engines.kept import uncertain
from dio_mc.engines.native import machine
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.search import Approximate, Budget, Exploration
from dio_mc.symbolic.evaluator import property_evaluator
from dio_mc.trace.replay import build_trace

ROOT = Path(__file__).resolve().parents[3]
LARGE = str(ROOT / "benchmarks" / "diorace.py")
HASHES = Approximate("hash-compaction")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent))


def bits(size: int) -> Approximate:
    return Approximate("bitstate", size)


def searched(
    made: Program, evaluators, approximate: Approximate, budget: Budget | None = None
) -> tuple[Exploration, str]:
    notes: list[str] = []
    found = asking.explore(made, evaluators, budget, note=notes.append, partial=approximate)
    (note,) = notes
    return found, note


def share(note: str) -> float:
    (number,) = re.findall(r"at the end (?:fewer than )?([0-9.]+)% of new states", note)
    return float(number)


@pytest.mark.parametrize("approximate", [HASHES, bits(64 << 20)])
def test_with_room_enough_nothing_is_missing(approximate: Approximate) -> None:
    made = chain(200, 1)
    seen = [evaluator("end", lambda a, b: not (a and b), observation(made, "v0"), observation(made, "v199"))]
    exact, (found, _) = explore(made, seen), searched(made, seen, approximate)
    assert (found.states, found.transitions, found.depth) == (101 * 101, exact.transitions, exact.depth)
    assert found.violations == uncertain(exact).violations
    assert (str(found.stopped), found.complete) == (f"--approximate {approximate.storage}", False)


def test_small_tables_leave_out_more_and_say_how_much() -> None:
    made = chain(120, 1)
    found = [searched(made, [], bits(size)) for size in (1 << 20, 1 << 13, 1 << 11, 1 << 9)]
    counts, shares = [one.states for one, _ in found], [share(note) for _, note in found]
    assert counts[0] == 61 * 61
    assert sorted(counts, reverse=True) == counts
    assert len(set(counts)) == 4
    assert sorted(shares) == shares
    assert shares[0] == 0.01, "fewer than"
    assert shares[-1] > 40


def test_the_same_table_leaves_out_the_same() -> None:
    made = chain(120, 1)
    assert searched(made, [], bits(1 << 11)) == searched(made, [], bits(1 << 11))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("approximate", [HASHES, bits(64), bits(1 << 16)])
def test_what_is_found_is_real(seed: int, approximate: Approximate) -> None:
    made = random_program(seed)
    evaluators = evaluators_for(made)
    exact = {violation.property: len(violation.schedule) for violation in explore(made, evaluators).violations}
    found, _ = searched(made, evaluators, approximate)
    assert (found.stopped is None) == (found.engine == "reference")
    for violation in found.violations:
        assert len(violation.schedule) >= exact[violation.property]
    if approximate is HASHES and found.engine == "native":
        assert {v.property: len(v.schedule) for v in found.violations} == exact


def test_a_violation_in_a_table_too_small_replays() -> None:
    program = build(load_module(Path(LARGE)).models[0], {"pages": 2, "readers": 2, "fixed": 0}).program
    evaluators = [property_evaluator(program, p).evaluator for p in program.properties]
    found, note = searched(program, evaluators, bits(1 << 14))
    assert found.states < asking.native(program, evaluators).states / 2
    assert share(note) > 1
    (violation,) = found.violations
    assert build_trace(program, violation, engine="native").property == "no_stale"


def test_a_limit_of_states_is_told_before_the_approximation() -> None:
    found, _ = searched(chain(60, 1), [], bits(1 << 20), Budget(max_states=100))
    assert (found.states, str(found.stopped)) == (100, "--max-states 100")


def test_without_llvmlite_states_are_stored_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dio_mc.engines.native.engine.missing", lambda: "llvmlite is not installed (pip install llvmlite)"
    )
    found, note = searched(chain(10, 1), [], HASHES)
    assert (found.engine, found.states, found.stopped) == ("reference", 36, None)
    assert note == (
        "explored by the reference engine, which stores complete states: llvmlite is not installed "
        "(pip install llvmlite)"
    )
    assert machine.missing() is None


# -- the command -------------------------------------------------------------------------------------------------------


def check(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["check", LARGE, "--param", "fixed=1", *arguments, "--no-artifacts"])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("storage", "words"),
    [
        ("hash-compaction", "64 bits of each state were stored: 3.7e-15 states are expected to be missing, with their "
         "successors"),
        ("bitstate:2M", "each state was stored as three bits in 2M: at the end fewer than 0.01% of new states were "
         "taken for known ones; these, and states reachable only through them, are missing"),
    ],
)  # fmt: skip
def test_what_holds_is_undetermined(storage: str, words: str) -> None:
    code, said = check("--approximate", storage)
    assert code == 3
    assert f"  note: {words}\n" in said
    assert f"  stopped by --approximate {storage.split(':')[0]}; 0 states still unexplored\n" in said
    assert "367 states" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--approximate", "bits"), "--approximate bits: is neither hash-compaction nor bitstate nor bitstate:SIZE."),
        (
            ("--approximate", "bitstate:x"),
            "--approximate bitstate:x: x is not an amount of memory, such as 800M or 4G.",
        ),
        (("--approximate", "bitstate", "--simulate", "2"), "--simulate and --approximate: one or the other."),
    ],
)
def test_wrong_words(options: tuple[str, ...], words: str) -> None:
    code, said = check(*options)
    assert code == 2
    assert said.endswith(f"Error: {words}\n")
