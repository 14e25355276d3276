"""What a counterexample means on a real kernel, and the answer of a kernel that is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.cli.kernels import case_of
from dio_mc.errors import ModelError
from dio_mc.machine.cases import Case, Turn, file_system_of
from dio_mc.machine.confirm import confirm
from dio_mc.machine.gates import standing_for
from dio_mc.machine.programs import programs
from dio_mc.machine.schedule import Blocked, Gate, Left, Ran, Schedule
from dio_mc.machine.seen import of_trace, tagged
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import Registry, Workload, open_registry, pair
from dio_mc.trace.codec import encode

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return open_registry()


def test_the_seed_trace_by_the_binding_in_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert case_of(str(SEED / "no_stale_exposure.json"), None, None, ()) == Case(
        "hole", ("reader", "mapper", "pdflush"), ("pread_direct", "mmap_store:NEW", "writeback"),
        (
            Turn(0, 1, held=True, function="ext4_iomap_begin"), Turn(1, 5),
            Turn(2, 8, held=True, function="submit_bio"), Turn(0, 10),
        ),
        (("reader", "exposed"),), file_system="ext3",
    )  # fmt: skip


def test_a_property_that_callers_cannot_see_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(ModelError) as error:
        case_of(str(SEED / "no_hole_filled.json"), None, None, ())
    assert str(error.value) == (
        "dio-mc: error DIO285: the model's binding does not say how a violation of no_hole_filled shows\n"
        "  hint: it does for: no_stale_exposure"
    )


def test_a_model_without_binding_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    path = next((ROOT / "counterexamples").glob("own_buffer.*/*.json"))
    with pytest.raises(ModelError, match=r"DIO285: the model \w+ is not bound to a kernel"):
        case_of(str(path), None, None, ())


def test_the_run_of_a_rule_and_a_workload(registry: Registry, tmp_path: Path) -> None:
    (found, *_) = outcomes(pair(registry, "direct_read", "mmap_store"), registry.rules["ext3_2_6_18"])
    exposed = found.outcomes[0]
    assert exposed.trace is not None
    path = tmp_path / "run.json"
    path.write_text(encode(exposed.trace))
    case = case_of(str(path), None, None, ())
    assert (case.layout, case.file_system, case.verdict) == ("hole", "ext3", "exposed")
    assert case.programs == ("pread_direct", "mmap_store:NEWER", "writeback")
    assert case.users == ("t0_direct_read", "t1_mmap_store")
    assert case.expected == exposed.text
    assert [turn.thread for turn in case.turns][:2] == [0, 1]
    assert case.turns[0].held


@pytest.mark.parametrize("rule", ["ext4_2020", "iomap_2018", "generic_2017_before_end_io"])
@pytest.mark.parametrize("operations", [("direct_write", "mmap_store"), ("read", "aio_write"), ("truncate", "write")])
def test_a_trace_says_what_its_outcome_says(registry: Registry, rule: str, operations: tuple[str, str]) -> None:
    workload = pair(registry, *operations)
    for found in outcomes(workload, registry.rules[rule]):
        for one in found.outcomes:
            assert one.trace is not None
            end = of_trace(one.trace, tuple(workload.threads), found.layout)
            assert (end.results, end.after, end.verdict) == one.key


def test_calls_of_all_workloads(registry: Registry) -> None:
    assert programs(registry.workloads["refill_behind_aio"]) == {
        "writer": "io_submit_pwrite:NEW,io_getevents", "reader": "pread,pread",
    }  # fmt: skip
    cannot = []
    for workload in registry.workloads.values():
        try:
            programs(workload)
        except ModelError as error:
            cannot.append((workload.name, str(error)))
    assert cannot == [
        (
            "fork_under_direct_read",
            "dio-mc: error DIO285: thread `forker` cannot run on a real kernel: it calls `fork`, which a guest cannot do",
        )
    ]


def loops(self) -> None:  # type: ignore[no-untyped-def]  # the function of a workload
    for _ in range(2):
        self.pread(0)


def test_a_loop_is_no_list_of_calls() -> None:
    with pytest.raises(ModelError, match=r"`t` cannot run on a real kernel: it does `for _ in range\(2\):`"):
        programs(Workload("w", {"t": loops}))


def test_a_function_of_the_models_has_a_gate_in_a_kernel_of_today() -> None:
    there = ["filemap_read", "ext4_iomap_begin", "submit_bio"]
    assert standing_for("do_generic_file_read", there) == "filemap_read"
    assert standing_for("generic_file_buffered_read", there) == "filemap_read"
    assert standing_for("get_more_blocks", there) == "ext4_iomap_begin"
    assert standing_for("submit_bio", there) == "submit_bio"
    assert standing_for("nobody_knows", there) is None


def test_a_rule_says_on_which_file_system() -> None:
    assert file_system_of("xfs_own_locking") == ("xfs", "")
    assert file_system_of("invalidate_lock") == ("ext4", "")
    assert file_system_of("ext4_nodelalloc") == ("ext4", "nodelalloc,dioread_lock")


# -- a kernel that is made up ----------------------------------------------------------------------------------------

CASE = Case(
    "hole", ("reader", "mapper"), ("pread_direct", "mmap_store:NEW"),
    (Turn(0, 1, held=True, function="get_more_blocks"), Turn(1, 5), Turn(0, 10)), (("reader", "exposed"),),
)  # fmt: skip
WAY = (Gate("iomap_dio_rw"), Gate("ext4_iomap_begin"), Gate("submit_bio"))


class Kernel:
    """Answers by the gate at which the reader is held."""

    def __init__(self, answers: dict[str, Ran]) -> None:
        self.answers = answers
        self.tried: list[str] = []

    def run(self, schedule: Schedule, *, passed: bool = False) -> Ran:
        if passed:
            return Ran((), passed=(WAY, ()))
        gate = str(schedule.segments[0].until)
        self.tried.append(gate)
        return self.answers.get(gate, result("ZERO"))


def result(reader: str, **more: object) -> Ran:
    left = (Left("NOTHING", reader, "NOTHING", "NOTHING"), Left("NOTHING", "NEW", "NOTHING", "NEW"))
    return Ran(left, "NEW", "NEW", False, **more)  # type: ignore[arg-type]


WAITS = (Blocked(1, 1, ("rwsem_down_read_slowpath", "filemap_fault")),)


def test_confirmed_at_the_traces_own_gate_in_one_schedule() -> None:
    kernel = Kernel({"ext4_iomap_begin": result("STALE")})
    answer = confirm(kernel, CASE)  # type: ignore[arg-type]
    assert (answer.verdict, answer.exact, answer.tried) == ("CONFIRMED", True, 1)
    assert [(h.thread, h.step, str(h.gate)) for h in answer.holds] == [("reader", 1, "ext4_iomap_begin")]


def test_confirmed_at_another_gate_is_told_as_such() -> None:
    kernel = Kernel({"submit_bio": result("STALE")})
    answer = confirm(kernel, CASE)  # type: ignore[arg-type]
    assert (answer.verdict, answer.exact) == ("CONFIRMED", False)
    assert kernel.tried == ["ext4_iomap_begin", "iomap_dio_rw", "submit_bio"]


def test_blocked_at_the_traces_own_gate_says_who_waits_where() -> None:
    answer = confirm(Kernel({"ext4_iomap_begin": result("NEW", blocked=WAITS)}), CASE)  # type: ignore[arg-type]
    assert answer.verdict == "BLOCKED"
    assert answer.waits is not None
    assert (answer.waits.thread, answer.waits.step) == ("mapper", 5)
    assert answer.waits.stack[0] == "rwsem_down_read_slowpath"


def test_what_was_seen_while_somebody_waited_confirms_nothing() -> None:
    everywhere = {str(gate): result("STALE", blocked=WAITS) for gate in WAY}
    assert confirm(Kernel(everywhere), CASE).verdict == "BLOCKED"  # type: ignore[arg-type]
    missed = {str(gate): result("STALE", missed=(0,)) for gate in WAY}
    assert confirm(Kernel(missed), CASE).verdict == "DIVERGED"  # type: ignore[arg-type]


def test_who_waits_before_its_own_gate_is_blocked_though_the_gate_is_missed() -> None:
    first = result("NEW", blocked=WAITS, missed=(1,))
    assert confirm(Kernel({"ext4_iomap_begin": first}), CASE).verdict == "BLOCKED"  # type: ignore[arg-type]


def test_diverged_shows_the_traces_own_schedule() -> None:
    answer = confirm(Kernel({"iomap_dio_rw": result("NEW")}), CASE)  # type: ignore[arg-type]
    assert (answer.verdict, answer.tried) == ("DIVERGED", 3)
    assert answer.seen.results == (("reader", "zero"), ("mapper", "new"))


def test_words_of_what_was_seen() -> None:
    seen = tagged(result("STALE"), ("reader", "mapper"), "hole")
    assert (seen.results, seen.after, seen.verdict) == ((("reader", "exposed"), ("mapper", "new")), "new", "exposed")
    stuck = tagged(Ran(stuck=(Blocked(-1, 1, ("down_write",)),)), ("reader", "mapper"), "hole")
    assert (stuck.verdict, stuck.after) == ("deadlock", "-")
