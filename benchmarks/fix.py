"""The results of `dio-mc fix` on models with a historical bug: ``python benchmarks/fix.py`` writes
FIX.md beside this file, ``python benchmarks/fix.py r05 r07`` only the rows of models with these
prefixes.

Ten classes of the history models and the seed race, twice. "Historical" is the upstream fix, as an
edit of the kinds that are tried: the first printed fix whose text contains the words in `CASES` is
taken for it; if there is none, the last column gives the reason. It takes minutes; seconds are wall
time with one process per processor, those in brackets processor time of all processes.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from dio_mc.checking.driver import Options
from dio_mc.checking.runs.fix import Search, find_fixes, the_class
from dio_mc.checking.runs.plan import Task
from dio_mc.fix.found import Fix, Found
from dio_mc.source import display_path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Fixes found, and those of history

<!-- Written by benchmarks/fix.py. -->

`dio-mc fix FILE --model CLASS` for classes with a historical bug; the first five fixes are listed. "Size" counts
statements that are added, moved or changed. Where a single edit is expected, fewer pairs than by default were tried.
Every fix was checked as written. A smaller edit than upstream's is not a better one: it satisfies the properties
of the model, and shows what they do not say. "s" is wall time on two busy processors; in brackets processor time.

"""


TITLES = "| class | upstream | size | found at | edits + pairs | passed | s | first five | why not |"
RULE = "|---|---|---:|---|---:|---:|---:|---|---|"


@dataclass(frozen=True, slots=True)
class Case:
    """A class, the upstream fix with its size as an edit, and words of the same fix here.
    `otherwise` is the reason why it is not among those printed; `pairs` are tried."""

    file: str
    model: str
    upstream: str
    size: int
    words: tuple[str, ...]
    goals: tuple[str, ...] = ()
    otherwise: str = ""
    pairs: int = 600


CASES = (
    Case(
        "history/r22_isize_lost_update",
        "Unlocked",
        "b9d59846f737: a spinlock around test and store",
        3,
        ("section", "new_mutex"),
        pairs=100,
    ),
    Case(
        "history/r56_page_not_yet_filled",
        "FoundIsEnough",
        "OpenZFS 13608: look under the page's lock",
        2,
        ("section", "page_lock"),
        pairs=100,
    ),
    Case(
        "history/p7_lost_wakeup", "TestsFirst", "prepare to wait, then test", 1, ("move", "prepare_to_wait"), pairs=100
    ),
    Case(
        "history/r23_ocfs2_stale_size",
        "ReadsBeforeTheLock",
        "f267aeb: read i_size under the lock",
        1,
        ("move", "down_write()"),
        pairs=100,
    ),
    Case(
        "history/r32_missing_preflush",
        "Fuse",
        "b5a2a3a0b776: flush and wait before the direct write",
        2,
        ("in direct_write", "+        wait_until(not self.dirty)\n+        wait_until(not self.writeback)"),
    ),
    Case(
        "history/r12_ack_before_conversion",
        "TellsFirst",
        "fb511f215017: convert, then tell",
        1,
        ("move", "end_io"),
        pairs=100,
    ),
    Case(
        "history/r14_isize_before_conversion",
        "SizeFirst",
        "ee70daaba82d: convert, then i_size",
        1,
        ("move", "end_io"),
        pairs=100,
    ),
    Case(
        "history/r48_dedupe_vs_direct_write",
        "ComparesUnlocked",
        "5d888b481e6a: lock exclusively and drain",
        3,
        ("down_write()", "i_dio_count.wait()"),
    ),
    Case(
        "history/r24_eof_zeroing_vs_aio",
        "NoDrain",
        "3136e8bb3054: wait for direct IO before i_size is read",
        1,
        ("call", "i_dio_count.wait()"),
        pairs=100,
    ),
    Case(
        "history/r13_writeback_bit_before_conversion",
        "EndsWritebackFirst",
        "later kernels: convert, then end writeback",
        1,
        ("move", "end_page_writeback"),
        pairs=100,
    ),
    Case(
        "history/r51_nfs_mmap_vs_direct",
        "MapsStay",
        "e231c6879cfd: unmap before the flush",
        1,
        ("start_direct", "self.pte = False"),
        otherwise="direct IO never stored to `pte` before, so that store is not tried",
        pairs=100,
    ),
    Case(
        "seed/ext3_2_6_18",
        "Ext3",
        "proposal of 2006: the page's lock from the map to the end of the IO",
        2,
        ("page_lock",),
    ),
    Case(
        "seed/ext3_2_6_18",
        "Ext3",
        "244adf6426ee: allocate unwritten, convert in end_io",
        2,
        ("UNWRITTEN", "in end_io"),
        ("no_stale_exposure",),
    ),
    Case(
        "history/r25_eofblocks_trim",
        "TrimsAtOnce",
        "e4229d6b0bc9: wait for direct IO before the trim",
        1,
        ("call", "i_dio_count.wait()"),
        pairs=0,
    ),
    Case(
        "history/r05_refill_behind_dio_write",
        "InvalidatesBefore",
        "2.6.24: invalidate again after the write",
        1,
        ("call", "invalidate_inode_pages2_range", "in dio_complete"),
        pairs=0,
    ),
    Case(
        "history/r07_invalidate_before_conversion",
        "XfsInvalidatesFirst",
        "c771c14baa33: convert, then invalidate",
        1,
        ("in dio_complete", "convert_unwritten"),
        pairs=0,
    ),
    Case(
        "history/r18_check_before_lock",
        "TestsFirst",
        "c58cb165bd44: test again under the lock",
        1,
        ("move", "iolock.lock()"),
        pairs=0,
    ),
)


def searched(case: Case) -> tuple[Found, float, float]:
    """The result, and the seconds taken: wall time, and processor time of all processes."""
    file = str(ROOT / "models" / f"{case.file}.py")
    model = the_class(file, case.model, (), Options())
    started, before = time.perf_counter(), sum(os.times()[:4])
    search = Search(Options(), case.goals, case.pairs, jobs=len(os.sched_getaffinity(0)))
    found = find_fixes(Task(file, model, (), None), search)
    return found, time.perf_counter() - started, sum(os.times()[:4]) - before


def is_historical(fix: Fix, case: Case) -> bool:
    """Whether a fix has the words of the upstream fix."""
    text = f"{fix.edit.kind} {fix.edit.function} in {fix.edit.function} {fix.edit.text} {fix.difference}"
    return all(word in text for word in case.words)


def titled(case: Case) -> str:
    """The name of a case in the table."""
    return f"{case.file.split('/')[1]} {case.model}{' --property ' + ' '.join(case.goals) if case.goals else ''}"


def row(case: Case, found: Found, seconds: str) -> str:
    """A line of the table."""
    place = next((n for n, fix in enumerate(found.fixes, start=1) if is_historical(fix, case)), None)
    small = next((n for n, fix in enumerate(found.fixes, start=1) if fix.edit.size <= case.size), None)
    met = f"{place}" if place is not None else f"as small: {small}" if small is not None else "none"
    first = "; ".join(f"{f.edit.kind} in {f.edit.function}" for f in found.fixes) or "-"
    tried = f"{found.singles:,} + {found.pairs:,}"
    passed = found.counts.get("passes", 0)
    note = case.otherwise if place is None else ""
    head = f"| {titled(case)} | {case.upstream} | {case.size} | {met} | {tried} | {passed}"
    return f"{head} | {seconds} | {first} | {note} |"


def said(fix: Fix) -> str:
    """A fix in a line."""
    return f"{fix.edit.kind} in {fix.edit.function}: {fix.edit.text} ({fix.edit.size})"


def section(case: Case, found: Found) -> str:
    """The fixes of a case, and the properties that are missing."""
    lines = [f"\n## {case.file.split('/')[1]} {case.model}{' '.join(('', *case.goals))}\n"]
    lines += [f"{n}. {said(fix)}" for n, fix in enumerate(found.fixes, start=1)]
    return "\n".join([*lines, *(f"\n{sentence}." for sentence in found.missing)])


def kept(target: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The rows and sections of the existing page, by the names of their cases."""
    text = target.read_text(encoding="utf-8") if target.exists() else ""
    table, *sections = text.split("\n## ")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in table.splitlines() if line.startswith("| ")}
    return rows, {one.partition("\n")[0]: f"\n## {one}".rstrip("\n") for one in sections}


def main(names: list[str]) -> None:
    """Write the table after each case; all rows, or those of models with these prefixes."""
    target = Path(__file__).with_name("FIX.md")
    rows, sections = kept(target) if names else ({}, {})
    for case in CASES:
        if names and not any(case.file.partition("/")[2].startswith(name) for name in names):
            continue
        found, wall, processor = searched(case)
        rows[titled(case)] = row(case, found, f"{wall:.1f} ({processor:.1f})")
        print(rows[titled(case)], file=sys.stderr, flush=True)
        text = section(case, found)
        sections[text.partition("## ")[2].partition("\n")[0]] = text
        told = [rows[titled(c)] for c in CASES if titled(c) in rows]
        target.write_text(HEAD + "\n".join([TITLES, RULE, *told, *sections.values()]) + "\n", encoding="utf-8")
    print(f"written to {display_path(str(target))}", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
