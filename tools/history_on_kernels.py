"""The races of the shipped models on real kernels: writes docs/history.md and docs/history.json.

    python tools/history_on_kernels.py [--plan] [MODEL...]

Each model file that has a binding (``expect(..., kernel=Kernel(...))``) is checked, and its counterexamples are run on
the kernels that the binding names, those with the race and those without it. With MODELs (parts of file names) only
these are run, and the other rows are kept. ``--plan`` shows the turns of each schedule and runs nothing. The kernels
are those of ``tools/kernels``; what is not there leaves its row as it was.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dio_mc.api import check
from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model
from dio_mc.machine.cases import Case, of_model
from dio_mc.machine.confirm import confirm
from dio_mc.machine.confirmations import Answered
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.images import find_kernel
from dio_mc.machine.session import Session

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("models/seed", "models/history")
ROWS, PAGE = ROOT / "docs" / "history.json", ROOT / "docs" / "history.md"
SCHEMA = "dio-mc/history/1"
MARK = "<!-- generated: rows -->\n"
DESIGN = "a design of 2006 that no kernel has"
NETWORK = "needs a server and a network; guests have none"
MODULE = "not in the kernels' cloud builds, or it needs a cluster"
WORKER = "its steps are those of a completion, in an interrupt or a worker of the kernel: no thread to hold"
NOT_RUN = {
    "chunks": DESIGN, "global_placeholder": DESIGN, "placeholder": DESIGN, "placeholder_truncate": DESIGN,
    "whole_range": DESIGN, "own_buffer": DESIGN, "p4_eexist": DESIGN, "p7_lost_wakeup": DESIGN,
    "r08_faults_kept_out": "a design that no kernel has",
    "pagecache": "the base of the others",
    "unwritten_extents": "the repair of R01: the rows of ext3_2_6_18 on ext4",
    "r03_delalloc_collision": "the rows of xfs_own_locking",
    "r09_i_alloc_sem": "gone since 2011; see the rows of r09_dio_vs_truncate_reuse",
    "r13_writeback_bit_before_conversion": WORKER, "r22_isize_lost_update": WORKER, "r27_failed_dio_converts":
    "needs a disk that fails on demand; repaired in 2016", "r29_chain_continued": "the rows of R05 and R06",
    "r29_chain_of_invalidations": "the rows of R05 and R06", "r29_double_complete": WORKER + "; repaired in 2.6.20",
    "r30_dio_refcount_uaf": WORKER + "; repaired in 2.6.20", "r40_completion_context_invalidate": WORKER,
    "r15_ocfs2_buffered_fallback": MODULE, "r23_ocfs2_stale_size": MODULE, "r38_setattr_vs_endio": MODULE,
    "r21_gc_vs_dio": MODULE, "r53_bcachefs_stale_pointer": MODULE, "r56_page_not_yet_filled": MODULE,
    "r19_minority": NETWORK, "r19_two_class_exclusion": NETWORK, "r47_cifs_oplock_break": NETWORK,
    "r51_nfs_mmap_vs_direct": NETWORK,
    "r32_missing_preflush": "FUSE: needs a file system in user space inside the guest",
    "r49_fuse_truncate_vs_writepages": "FUSE: needs a file system in user space inside the guest",
    "r52_isize_seqcount": "32 bits only", "r54_fuse_parallel_direct_writes":
    "FUSE: needs a file system in user space inside the guest",
    "r18_check_before_lock": "between the test and the lock no function is called; repaired in 2011",
    "r25_eofblocks_trim": "needs an asynchronous append that stays in flight; the guest's disk answers at once",
    "r31_append_retry": "one thread; repaired in 6.1 and 6.12 as Debian has them, and 5.10 does not have the retry",
    "r35_partial_result": "one thread; repaired in 6.1 as Debian has it, and 5.10 does not have the retry",
    "r36_journal_vs_mmap_sem": "needs a commit, an mmap and a fault at once; repaired in 2008",
    "r41_endless_truncate": "a matter of fairness: no schedule of finite length shows it",
    "r43_snapshot_vs_mixed": "needs a snapshot of btrfs; repaired in 5.2",
    "r45_flag_toggle": "needs a thread between two tests in one function; repaired in 2014",
    "r48_dedupe_vs_direct_write": "needs FIDEDUPERANGE on two files; repaired before 5.10",
    "r55_mirrors_of_a_changing_buffer": "both mirrors are transferred together, no function between; R50 is the same",
    "r57_zeroing_between_two_forks": "needs a zoned device",
    "r58_fsync_logs_unwritten_extent": "needs the power cut amid an fsync, and a recovery",
    "r59_atomic_write_torn_by_a_crash": "needs the power cut between two commits, and a recovery",
    "r60_uptodate_before_contents": "a matter of memory order: x86 does not reorder these stores",
    "r61_dropbehind_under_writeback": WORKER + "; 6.12 does not have the flag, 7.3 has the repair",
    "r62_folio_read_ended_early": MODULE, "r62_folio_read_ended_twice": WORKER,
    "r63_all_queued_too_late": NETWORK, "r63_all_queued_without_barriers": "a matter of memory order; " + NETWORK,
    "r64_size_raised_over_zeros": "needs the power cut between an append and the end of an IO, and a recovery",
    "r65_truncate_beyond_its_range": "needs swap, and a large folio in it; guests have none",
    "r65_truncate_frees_a_split_swap_entry": "needs swap, and a large folio in it; guests have none",
    "r66_page_zeroed_in_place_of_data": "FreeBSD, with OpenZFS",
    "r67_shared_asked_of_the_old_block": "needs a clone; repaired in 6.1 and 6.12 as Debian has them",
    "r68_flag_in_a_shared_file": "repaired in 6.1 and 6.12 as Debian has them, and 5.10 does not have the flag",
    "r69_stale_metadata_over_data": "needs a metadata block whose write outlasts a commit",
    "r70_flush_lost_between_copy_and_clear": MODULE,
}  # fmt: skip
"""Models without a binding: why they cannot be run on one of these kernels."""


@dataclass(frozen=True)
class Side:
    """A kernel, a file system and mount options on which a race is looked for; `has`: the binding
    says that it is there."""

    kernel: str
    file_system: str
    mount: str
    has: bool


def main(arguments: list[str]) -> None:
    """Run what was requested, and write the page."""
    names = [a for a in arguments if not a.startswith("-")]
    rows = read_rows()
    for path in model_files(names):
        for model, expectation in bound(path):
            for case, key in cases(path, model, expectation):
                for side in sides(expectation, case) if "--plan" not in arguments else ():
                    rows |= run(key, case, side)
                    write(rows)
                if "--plan" in arguments:
                    print(key, *(f"  {case.threads[t.thread]} until {t.function or 'its end'}" for t in case.turns))
    write(rows)


def model_files(names: list[str]) -> list[Path]:
    """Files of models, by parts of their names; all files without any."""
    files = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.py"))
    return [path for path in files if not names or any(name in path.stem for name in names)]


def bound(path: Path) -> Iterator[tuple[type[Model], Expectation]]:
    """The classes of a file that have a binding, each with its expectation."""
    loaded = load_module(path, allow_empty=True)
    for model in loaded.models:
        for expectation in vars(model).get("__dio_expectations__", ()):
            if expectation.kernel is not None and Path(expectation.file) == path:
                yield model, expectation


def cases(path: Path, model: type[Model], expectation: Expectation) -> Iterator[tuple[Case, str]]:
    """The model's counterexamples as cases, with the keys of their rows."""
    assert expectation.kernel is not None
    report = check(model, dict(expectation.params))
    for trace in report.traces:
        name = trace.property.partition("@")[0]
        if name in expectation.kernel.shows:
            yield of_model(trace, expectation.kernel), f"{path.stem} {model.__name__} {name}"


def sides(expectation: Expectation, case: Case) -> Iterator[Side]:
    """The kernels on which it is to be run."""
    binding = expectation.kernel
    assert binding is not None
    for texts, has in ((binding.has, True), (binding.mended, False)):
        for text in texts:
            kernel, _, rest = text.partition(" ")
            file_system, _, mount = rest.partition(" ")
            yield Side(kernel, file_system or case.file_system, mount if file_system else case.mount, has)


def run(key: str, case: Case, side: Side) -> dict[str, dict[str, Any]]:
    """Run a case; a row by its key, none if the kernel is not installed."""
    try:
        kernel = find_kernel(side.kernel)
    except ModelError as error:
        print(error, file=sys.stderr)
        return {}
    with Session(kernel, side.file_system, side.mount, len(case.threads)) as session:
        try:
            answered = Answered(kernel.release, side.file_system, side.mount, confirm(session, case))
        except GuestLost as lost:
            answered = Answered(kernel.release, side.file_system, side.mount, None, lost.message)
    row = {"has": side.has, "looked_for": case.expected, **row_of(answered)}
    print(f"{key} on {answered.where}: {row['verdict']} {row['seen']}")
    return {f"{key} | {answered.where}": row}


def row_of(answered: Answered) -> dict[str, Any]:
    """The result of a kernel, as a row."""
    answer = answered.answer
    if answer is None:
        return {"verdict": answered.verdict, "seen": answered.lost, "schedule": ""}
    held = "; ".join(f"{h.thread} at {h.gate}" for h in answer.holds)
    given = ", ".join(f"{name} {result}" for name, result in answer.seen.results)
    file = [] if answer.seen.after == "-" else [f"file {answer.seen.after}"]
    seen = "; ".join([given, *file, *answer.besides])
    if answer.waits is not None:
        seen = f"{answer.waits.thread} waits in {' < '.join(answer.waits.stack[:3])}"
    return {"verdict": answer.verdict, "seen": seen, "schedule": held, "schedules": answer.tried}


# -- the page --------------------------------------------------------------------------------------------------------


def read_rows() -> dict[str, dict[str, Any]]:
    """The rows of the existing page."""
    return dict(json.loads(ROWS.read_text())["rows"]) if ROWS.exists() else {}


def write(rows: dict[str, dict[str, Any]]) -> None:
    """Write the rows, and the page's table."""
    ROWS.write_text(json.dumps({"schema": SCHEMA, "rows": dict(sorted(rows.items()))}, indent=1) + "\n")
    if PAGE.exists():
        head, _, _ = PAGE.read_text().partition(MARK)
        PAGE.write_text(head + MARK + table(rows))


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The rows as Markdown: races in the order of their numbers, kernels that have the race
    first."""
    lines = ["", "| race, model | looked for | kernel | race there | answer | seen |", "|---|---|---|---|---|---|"]
    before = ""
    for key, row in sorted(
        rows.items(), key=lambda item: (_race(item[0]), item[0].split(" | ")[0], not item[1]["has"], item[0])
    ):
        name, _, where = key.partition(" | ")
        stem, model, _ = name.split(" ")
        folder = next(f for f in FOLDERS if (ROOT / f / f"{stem}.py").exists())
        first = (
            ["", ""] if name == before else [f"{_race(key)} [{stem}](../{folder}/{stem}.py) {model}", row["looked_for"]]
        )
        before = name
        held = f" ({row['schedule']})" if row["schedule"] else ""
        cells = [*first, where, "yes" if row["has"] else "no", row["verdict"], row["seen"] + held]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", "## Not run", "", "| model | why |", "|---|---|"]
    return "\n".join([*lines, *(f"| {stem} | {why} |" for stem, why in sorted(NOT_RUN.items()))]) + "\n"


def _race(key: str) -> str:
    """``R02``: the first number in the model's docstring."""
    stem = key.split(" ")[0]
    text = next((ROOT / f / f"{stem}.py").read_text() for f in FOLDERS if (ROOT / f / f"{stem}.py").exists())
    found = re.search(r"\bR\d\d\b", text)
    return found[0] if found else "R01"


if __name__ == "__main__":
    main(sys.argv[1:])
