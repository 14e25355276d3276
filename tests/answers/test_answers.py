"""Small models that were once answered wrongly, each with the right answer.

Most of them have their test where the part is tested that was wrong. The rest are here.

| what was wrong | its test |
| -- | -- |
| deadlocks of models with much independent work | here, `test_a_deadlock_is_found_with_every_option` |
| a tautology that asks `inside` hides a deadlock | here, `test_a_property_changes_no_verdict_of_another`; the steps in `test_asking` |
| a property that asks `inside` changes another's verdict | here, `test_a_property_changes_no_verdict_of_another` |
| the engines compute differently beyond 64 bits | `test_large_numbers` |
| SPIN refuses an export without a deadlock check | `test_peers::test_where_nobody_can_be_stuck` |
| 40 equal threads: found, and never printed | here, `test_forty_threads_are_reported` |
| too many shortest schedules: found, and never printed | `test_not_canonical`, `test_limits::test_a_violation_stays` |
| limits ignored by the options of a choice, by initial states | `test_limits::test_states_are_not_listed_past_their_limit` |
| a long chain of values ends in a recursion error | here, `test_a_thousand_values_that_depend_on_each_other` |
| the check of a check-then-act race does not matter | here, `test_the_check_matters_through_a_local`; `test_slices` |
| what keeps a loop going does not matter | here, `test_what_keeps_a_loop_going_matters` |
| a circle of waits ends at a condition | `test_pseudo::test_a_deadlock_names_who_could_end_it_and_draws_who_never_ran` |
| a polling daemon hides a deadlock of two threads | `test_stuck_for_ever` |
| a daemon that ends after one round | `test_quality_findings::test_a_daemon_that_ends_is_told` |
| a property of the library about what nothing writes | here, `test_a_family_about_what_nothing_writes_is_told` |
| findings vanish where there is a subclass | here, `test_findings_stay_where_there_is_a_subclass` |
| `expect` is compared with another binding | `test_stated::test_a_statement_is_held_against_the_run_that_it_is_about` |
| a spawned operation is said never to be entered | here, `test_a_spawned_operation_is_entered` |
| a window of one step is never seen from within | `test_quality_findings::test_what_is_one_step_is_entered_and_nobody_stands_in_it` |
| namesakes in two folders overwrite each other | `test_many_models::test_namesakes_of_two_folders_keep_their_counterexamples` |
| `outcomes` and the property families differ | here, `test_outcomes_and_families_agree` |
| a local is taken for the shared variable of its name | `test_pseudo::test_a_local_is_not_the_shared_variable_of_its_name` |
| lock calls drawn by their insides | `test_pseudo::test_a_call_of_a_lock_or_of_a_part_of_ones_own_is_one_line` |
| an unclear error for a large range, for `choose` in `and` | `test_first_errors::test_the_first_hour` |
| a trace makes `replay` and `why` run a file | `test_replay::test_a_trace_runs_no_file_that_the_user_did_not_name` |
| histories of three calls with the wrong word | here, `test_histories_of_three_calls` |
| mutants of one line, of a ghost, of one binding | `test_fates` |
| a ghost is an argument of `spawn` | `test_stated::test_a_ghost_decides_nothing_of_what_is_started_or_chosen` |
| SPIN computes with 32 bits | `test_numbers_of_targets` |
| another assertion is said to reproduce | `test_replay::test_another_assertion_in_the_same_step_is_not_the_one` |
| `expect` lines that contradict each other | `test_stated`; the exit code here, `test_contradicting_expectations_are_an_error` |
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asking import explore
from click.testing import CliRunner, Result
from histories import Called, verdict

from dio_mc import Array, Model, Mutex, Range, Var, atomic, invariant, operation, progress, spawn, thread, wait_until
from dio_mc.checking.driver import Options, check_class
from dio_mc.checking.results import Report
from dio_mc.cli import cli
from dio_mc.frontend.load import load_module
from dio_mc.semantics.search import Budget
from dio_mc.study.observe import JUDGED
from dio_mc.study.orders import Call, broken
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import open_registry, product
from dio_mc.symbolic.evaluator import property_evaluator


def verdicts(report: Report) -> dict[str, str]:
    return {found.name: found.verdict for found in report.properties if found.kind != "faults"}


def important(report: Report, name: str) -> list[str]:
    """The statements of the steps that matter."""
    (trace,) = [one for one in report.traces if one.property == name]
    assert trace.why is not None
    return [trace.steps[number - 1].text for number in trace.why.steps]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


# -- deadlocks ---------------------------------------------------------------------------------------------------------

STUCK = """\
from dio_mc import *

class Stuck(Model):
    go = Var(bool)
    block = Array(Range(0, MOST), size=WRITERS)
    @thread(instances=WRITERS)
    def writer(self, k):
        for i in range(MOST):
            self.block[k] = i + 1
        wait_until(self.go)
"""
CROSSED = """\
from dio_mc import *

class Crossed(Model):
    inode = Mutex()
    page = Mutex()
    block = Array(Range(0, MOST), size=WRITERS)
    @thread
    def down(self):
        self.inode.lock()
        self.page.lock()
        self.page.unlock()
        self.inode.unlock()
    @thread
    def up(self):
        self.page.lock()
        self.inode.lock()
        self.inode.unlock()
        self.page.unlock()
    @thread(instances=WRITERS)
    def writer(self, k):
        for i in range(MOST):
            self.block[k] = i + 1
"""
EVERY = [
    "", "--engine reference", "--engine native", "--engine native --workers 2", "--no-reduction", "--partial-order",
    "--partial-order --engine reference", "--partial-order --no-symmetry", "--no-partial-order", "--no-symmetry",
    "--verify-reduction --partial-order", "--first", "--approximate bitstate", "--approximate hash-compaction",
    "--preemptions 2", "--jobs 2",
]  # fmt: skip


@pytest.mark.parametrize("options", EVERY)
@pytest.mark.parametrize("text", [STUCK, CROSSED], ids=["nobody says go", "crossed locks"])
def test_a_deadlock_is_found_with_every_option(text: str, options: str, tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(text.replace("MOST", "2").replace("WRITERS", "3"))
    found = run("check", str(path), "--no-artifacts", *options.split())
    assert (found.exit_code, "VIOLATED deadlock" in found.output) == (1, True), found.output


@pytest.mark.parametrize("text", [STUCK, CROSSED], ids=["nobody says go", "crossed locks"])
def test_a_deadlock_is_found_where_reduction_pays(text: str, tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(text.replace("MOST", "5").replace("WRITERS", "7"))
    report = check_class(load_module(path).models[0])
    assert report.verdict == "VIOLATED"
    assert report.reductions
    assert verdicts(report) == {"deadlock": "VIOLATED"}


# -- what is asked -----------------------------------------------------------------------------------------------------


class Block(Model):
    """`fill` has two steps, of which an atomic block makes one with what comes before it."""

    state = Var(Range(0, 3))
    marked = Var(bool)

    @operation
    def fill(self):
        self.state = 1
        self.state = 2

    @thread
    def marks(self):
        with atomic():
            self.marked = True
            self.fill()

    @thread
    def fills(self):
        self.fill()

    @invariant
    def at_once(self):
        return not self.marked or self.finished(self.marks)


class BlockAsked(Block):
    @invariant
    def asked(self):
        return self.state < 3 or not self.inside(self.fill)


class Early(Model):
    """`fill` ends before its first step for one of its callers."""

    state = Var(Range(0, 3))
    marked = Var(bool)

    @operation
    def fill(self, needed):
        if needed == 0:
            return
        self.state = 1
        self.state = 2

    @thread
    def marks(self):
        self.marked = True
        self.fill(0)

    @thread
    def fills(self):
        self.fill(1)

    @invariant
    def at_once(self):
        return not self.marked or self.finished(self.marks)


class EarlyAsked(Early):
    @invariant
    def asked(self):
        return self.state < 3 or not self.inside(self.fill)


class Begun(Model):
    """A deadlock from the start: `begins` needs `go`, which needs that it has begun."""

    go = Var(bool)
    begun = Var(bool)

    @operation
    def take(self):
        wait_until(self.go)
        self.go = False

    @thread
    def begins(self):
        with atomic():
            self.begun = True
            self.take()

    @thread
    def answers(self):
        wait_until(self.begun)
        self.go = True

    @thread(daemon=True)
    def other(self):
        wait_until(self.begun and not self.begun)
        self.take()


class BegunAsked(Begun):
    @invariant
    def asked(self):
        return not self.inside(self.take) or self.go or not self.go


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(
    ("plain", "asked", "expected"),
    [
        (Block, BlockAsked, {"at_once": "HOLDS", "deadlock": "HOLDS"}),
        (Early, EarlyAsked, {"at_once": "HOLDS", "deadlock": "HOLDS"}),
        (Begun, BegunAsked, {"deadlock": "VIOLATED"}),
    ],
)
def test_a_property_changes_no_verdict_of_another(
    plain: type[Model], asked: type[Model], expected: dict[str, str], engine: str
) -> None:
    options = Options(engine=engine)
    without, with_ = check_class(plain, options=options), check_class(asked, options=options)
    assert verdicts(without) == expected
    assert verdicts(with_) == {**expected, "asked": "HOLDS"}
    assert (with_.transitions, with_.depth) == (without.transitions, without.depth)


class Refused(Model):
    """What a worker is given to do ends while a property looks at it."""

    written = Var(bool)
    refused = Var(bool)
    retried = Var(bool)

    @operation(slots=1)
    def retry(self):
        self.written = False
        self.written = True
        self.retried = True

    @thread
    def submit(self):
        self.written = True
        self.refused = True
        spawn(self.retry)

    @invariant
    def no_effect(self):
        return not self.refused or self.inside(self.retry) or self.retried or not self.written


def test_a_spawned_operation_is_entered() -> None:
    report = check_class(Refused)
    assert verdicts(report)["no_effect"] == "VIOLATED"
    assert [found.message for found in report.findings if found.code == "DIO330"] == []


# -- found, and reported -----------------------------------------------------------------------------------------------


class Forty(Model):
    """States of more than 300 bits; the threads may take the lock in any order."""

    block = Array(Range(0, 200), size=40)
    lock = Mutex()
    done = Var(Range(0, 40))

    @thread(instances=40)
    def writer(self, k):
        self.lock.lock()
        self.block[k] = 200
        self.done += 1
        self.lock.unlock()

    @invariant
    def one_is_left(self):
        return self.done < 40

    @invariant
    def by_name(self):
        return self.done < 3 or self.block[0] == 0


def test_forty_threads_are_reported() -> None:
    report = check_class(Forty)
    assert verdicts(report) == {"one_is_left": "VIOLATED", "by_name": "VIOLATED", "deadlock": "HOLDS"}
    lengths = {trace.property: len(trace.steps) for trace in report.traces}
    assert lengths == {"one_is_left": 40 * 4 - 1, "by_name": 3 * 4 - 1}


class Counter(Model):
    count = Var(Range(0, 2000))

    @thread
    def up(self):
        for _ in range(1100):
            self.count += 1

    @invariant
    def below(self):
        return self.count < 1100


def test_a_thousand_values_that_depend_on_each_other() -> None:
    report = check_class(Counter)
    assert verdicts(report)["below"] == "VIOLATED"
    (trace,) = report.traces
    assert (len(trace.steps), trace.why is not None, report.notes) == (1100, True, ())


# -- causes ------------------------------------------------------------------------------------------------------------


class ThroughALocal(Model):
    cached = Var(bool)
    unflushed = Var(bool)

    @thread
    def direct(self):
        seen = self.cached
        if not seen:
            self.unflushed = True

    @thread
    def writer(self):
        self.cached = True

    @invariant
    def flushed(self):
        return not (self.unflushed and self.cached)


def test_the_check_matters_through_a_local() -> None:
    assert important(check_class(ThroughALocal), "flushed") == [
        "seen = self.cached", "self.unflushed = True", "self.cached = True",
    ]  # fmt: skip


class Spin(Model):
    locked = Var(bool)
    other = Var(bool)

    @thread
    def holder(self):
        self.locked = True

    @thread
    def bystander(self):
        self.other = True

    @thread
    def reader(self):
        again = True
        while again:
            again = self.locked

    @progress
    def ends(self):
        return self.finished(self.reader)


def test_what_keeps_a_loop_going_matters() -> None:
    report = check_class(Spin)
    assert "self.locked = True" in important(report, "ends")
    assert "self.other = True" not in important(report, "ends")


# -- findings, expectations --------------------------------------------------------------------------------------------

FAMILY = """\
from dio_mc import thread
from dio_mc.kernel import PageCache, Reuse

class M(Reuse, PageCache):
    @thread
    def punch(self):
        self.free_block(0)
    @thread
    def readahead(self):
        self.buffered_read(0)
"""


def test_a_family_about_what_nothing_writes_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(FAMILY)
    report = check_class(load_module(tmp_path / "m.py").models[0])
    told = [found.message for found in report.findings if found.code == "DIO328"]
    assert told == ["`no_stale_exposure` reads nothing but `seen`, which nothing writes"]


LOOSE = """\
from dio_mc import *

class M(Model):
    x = Var(bool)
    y = Var(Range(0, 3))
    never = Var(bool, ghost=True)
    unused = Param(3)
    lock = Mutex()
    @operation
    def uncalled(self):
        self.x = False
    @thread
    def a(self):
        self.lock.lock()
        self.x = True
        wait_until(self.x)
        if self.y > 2:
            self.x = False
        self.lock.unlock()
    @thread
    def b(self):
        self.y = 1
    @invariant
    def p(self):
        return self.x or not self.at_rest()
"""


@pytest.mark.parametrize("more", ["", "\nclass N(M):\n    pass\n"], ids=["alone", "with a subclass"])
def test_findings_stay_where_there_is_a_subclass(more: str, tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(LOOSE + more)
    found = run("check", str(path), "--no-artifacts", "--output-format", "json")
    of_base = json.loads(found.stdout)["models"][0]
    codes = {finding["code"] for finding in of_base["findings"]}
    assert codes == {"DIO320", "DIO321", "DIO322", "DIO323", "DIO324", "DIO325"}


def test_contradicting_expectations_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(LOOSE + '\nexpect(M, holds=True)\nexpect(M, violates={"p"})\n')
    found = run("check", str(path), "--no-artifacts")
    assert (found.exit_code, "DIO117" in found.output) == (2, True), found.output


# -- studies -----------------------------------------------------------------------------------------------------------

SIDE_BY_SIDE = """\
from dio_mc import thread
from dio_mc.kernel import Data

class TwoReads:
    \"\"\"Two reads beside one write: each may come before it.\"\"\"
    layouts = ("written",)
    @thread
    def one(self):
        self.pread(0)
    @thread
    def other(self):
        self.pread(0)
    @thread
    def writer(self):
        self.pwrite(0, Data.NEWER)

class ReadsInTurn:
    \"\"\"Two reads by one thread beside a direct write.\"\"\"
    layouts = ("written",)
    @thread
    def reader(self):
        self.pread(0)
        self.pread(0)
    @thread
    def writer(self):
        self.pwrite_direct(0, Data.NEWER)
"""


@pytest.mark.parametrize(
    ("name", "rule", "word", "false"),
    [
        ("two_reads", "generic_2005", "ok", set()),
        ("reads_in_turn", "generic_2005", "stale", {"read_after_ack", "coherent_at_rest"}),
        ("two_reads", "btrfs_today", "ok", set()),  # its writeback ends before the map has what was written
    ],
)
def test_outcomes_and_families_agree(name: str, rule: str, word: str, false: set[str], tmp_path: Path) -> None:
    """A property that is false in any state is false where some run ends."""
    path = tmp_path / "side_by_side.py"
    path.write_text(SIDE_BY_SIDE)
    registry = open_registry(None, [path])
    (program,) = product(registry.workloads[name], registry.rules[rule]).values()
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties if one.name in JUDGED]
    assert {one.property for one in explore(program, evaluators, Budget()).violations} == false
    (told,) = outcomes(registry.workloads[name], registry.rules[rule])
    assert told.verdict == word


READ, WRITE, PUNCH = "read", "write", "punch"
IN_TURN = frozenset({(0, 1), (0, 2), (1, 2)})


@pytest.mark.parametrize(
    ("calls", "before", "final", "expected"),
    [
        # Two reads, one after the other, beside the write that both have seen.
        (((READ, "NEWER"), (READ, "NEWER"), (WRITE, "NEWER")), {(0, 1)}, "NEWER", "ok"),
        # The last of three in turn leaves nothing of what it did.
        (((WRITE, "NEW"), (WRITE, "NEWER"), (PUNCH, "ZERO")), IN_TURN, "NEWER", "lost"),
        (((WRITE, "NEWER"), (WRITE, "NEW"), (WRITE, "NEWER")), IN_TURN, "NEW", "lost"),
        (((PUNCH, "ZERO"), (WRITE, "NEWER"), (PUNCH, "ZERO")), IN_TURN, "NEWER", "lost"),
        # A read after the acknowledgement finds the hole that is punched later.
        (((WRITE, "NEW"), (READ, "ZERO"), (PUNCH, "ZERO")), IN_TURN, "ZERO", "stale"),
        # The later of two readers sees the earlier state.
        (((READ, "NEWER"), (READ, "ZERO"), (WRITE, "NEWER")), {(0, 1)}, "NEWER", "stale"),
        # Both writers have been acknowledged, and the read and the file disagree.
        (((WRITE, "NEW"), (PUNCH, "ZERO"), (READ, "NEW")), {(0, 2), (1, 2)}, "ZERO", "stale"),
    ],
)  # fmt: skip
def test_histories_of_three_calls(
    calls: tuple[tuple[str, str], ...], before: set[tuple[int, int]], final: str, expected: str
) -> None:
    told = broken(
        tuple(
            Call(value, kind != READ, after=frozenset(a for a, b in before if b == number))
            for number, (kind, value) in enumerate(calls)
        ),
        "ZERO",
        final,
    )
    assert ("ok" if not told else "lost" if told == ("no_lost_write",) else "stale") == expected
    by_force = verdict(tuple(Called(*call) for call in calls), frozenset(before), "ZERO", final)
    assert by_force == expected
