"""The shipped models against kernels: every model is bound or says why not, and the page says what was found."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from guests import ROOT, kernel

from dio_mc.errors import ModelError
from dio_mc.lang.declarations import Kernel
from dio_mc.machine.cases import Case, of_model
from dio_mc.machine.confirm import confirm
from dio_mc.machine.confirmations import Answered, text
from dio_mc.machine.schedule import Left, Ran
from dio_mc.machine.seen import tagged
from dio_mc.machine.session import Session
from dio_mc.trace.codec import decode
from dio_mc.trace.trace import Trace

TOOL = runpy.run_path(str(ROOT / "tools" / "history_on_kernels.py"))
BOUND = {path.stem: list(TOOL["bound"](path)) for path in TOOL["model_files"]([])}
ROWS = TOOL["read_rows"]()


def cases(stem: str) -> list[tuple[Case, str, list[str]]]:
    found = []
    for folder in TOOL["FOLDERS"]:
        path = ROOT / folder / f"{stem}.py"
        for model, expectation in TOOL["bound"](path) if path.exists() else ():
            for case, key in TOOL["cases"](path, model, expectation):
                named = [*expectation.kernel.has, *expectation.kernel.mended]
                found.append((case, key, named))
    return found


def test_every_model_is_run_or_says_why_not() -> None:
    assert {stem for stem, bound in BOUND.items() if not bound} == set(TOOL["NOT_RUN"])


def test_the_page_has_the_rows() -> None:
    assert (ROOT / "docs" / "history.md").read_text().partition(TOOL["MARK"])[2] == TOOL["table"](ROWS)


def test_each_kernel_that_a_binding_names_has_a_row() -> None:
    """Of the rows' names: a binding says ``6.1``, a row ``6.1.0-56-cloud-amd64``."""
    for stem, bound in BOUND.items():
        for _, expectation in bound:
            for named in (*expectation.kernel.has, *expectation.kernel.mended):
                name, _, rest = named.partition(" ")
                file_system = rest.split(" ")[0] or expectation.kernel.file_system
                there = [k for k in ROWS if k.startswith(f"{stem} ") and f"| {name}" in k and f" {file_system}" in k]
                assert there, (stem, named)


def test_kernels_that_have_a_race_show_it_and_others_do_not() -> None:
    unexpected = [key for key, row in ROWS.items() if (row["verdict"] == "CONFIRMED") != row["has"]]
    assert unexpected == []


def test_a_case_says_what_confirms_it() -> None:
    ((silent, _, _),) = cases("r08_mmap_dirties_under_dio")
    assert silent.expected == "writer new; file newer; its second half old"
    left = (Left("NOTHING", "NEW", "NOTHING", "NEW"), Left("NOTHING", "NEWER", "NOTHING", "NEWER"))
    for rest, confirmed in (("OLD", True), ("NEW", False)):
        ran = Ran(left, "NEWER", "NEWER", rest=("NEWER", rest))
        assert silent.confirmed_by(ran, tagged(ran, silent.users, "written")) is confirmed
    ((warned, _, _),) = cases("r34_gup_dirty_late")
    left = (Left("NOTHING", "UNTOUCHED", "NOTHING", "NOTHING"), Left("NOTHING", "NOTHING", "NOTHING", "NOTHING"))
    for place, confirmed in (("fs/ext4/inode.c:3676-ext4_set_page_dirty", True), ("mm/x.c:1-other", False)):
        ran = Ran(left, "STALE", "OLD", warned=(place,))
        assert warned.confirmed_by(ran, tagged(ran, warned.users, "written")) is confirmed
    ((stuck, _, _),) = cases("r35_own_buffer_fault")
    assert (stuck.expected, stuck.verdict) == ("deadlock", "deadlock")


@pytest.fixture(scope="module")
def trace() -> Trace:
    return decode(Path(ROOT / "counterexamples/ext3_2_6_18.Ext3/no_stale_exposure.json").read_text())


CALLS = {"reader": "pread_direct", "mapper": "mmap_store:NEW", "pdflush": "writeback"}
SHOWS = {"no_stale_exposure": {"reader": "exposed"}}


def test_turns_that_a_binding_states(trace: Trace) -> None:
    case = of_model(trace, Kernel("ext3", CALLS, SHOWS, turns="reader until submit_bio#2, mapper, reader"))
    assert [(t.thread, t.step, t.held, t.function) for t in case.turns] == [
        (0, 1, True, "submit_bio#2"), (1, 5, False, ""), (0, 1, False, ""),
    ]  # fmt: skip
    with pytest.raises(ModelError, match="the turns of the model's binding name a thread `nobody` that has no calls"):
        of_model(trace, Kernel("ext3", CALLS, SHOWS, turns="nobody"))


@pytest.mark.parametrize(
    ("binding", "said"),
    [
        (Kernel("ext3", {**CALLS, "mapper": "mmap_stor:NEW"}, SHOWS), "has a call that a guest cannot make: `mmap_stor:NEW`"),
        (Kernel("ext3", {**CALLS, "mapper": "mmap_store:NEU"}, SHOWS), "has a call that a guest cannot make: `mmap_store:NEU`"),
        (Kernel("ext3", CALLS, SHOWS, layout="holes"), "has an unknown layout: `holes`\n  hint: there are: hole, "),
    ],
)  # fmt: skip
def test_what_a_guest_does_not_know_is_told(trace: Trace, binding: Kernel, said: str) -> None:
    with pytest.raises(ModelError) as error:
        of_model(trace, binding)
    assert f"dio-mc: error DIO285: the model's binding {said}" in str(error.value)


def test_any_step_of_a_thread_and_threads_of_the_kernel(trace: Trace) -> None:
    case = of_model(trace, Kernel("ext3", {**CALLS, "pdflush": ""}, SHOWS, gates={"reader.*": "iomap_dio_rw"}))
    assert case.threads == ("reader", "mapper")
    assert case.turns[0].function == "iomap_dio_rw"


def test_half_of_an_acknowledged_write_is_lost_on_a_real_kernel() -> None:
    ((silent, _, _),) = cases("r08_mmap_dirties_under_dio")
    with Session(kernel("6.1"), "ext3") as session:
        answer = confirm(session, silent)
    assert (answer.verdict, answer.exact) == ("CONFIRMED", True)
    told = text("a trace", silent, [Answered("6.1", "ext3", "", answer)])
    assert "CONFIRMED  writer new, mapper newer; file newer; its second half old\n" in told
