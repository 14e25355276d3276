"""A counterexample as a C program of its workload, and as a test in the form of fstests.

Both only make the system calls. Comments say where a guest holds threads at gates, and so where delays are needed.
"""

from __future__ import annotations

import re
from typing import Final

from dio_mc.errors import usage_error
from dio_mc.machine.build import INSIDE
from dio_mc.machine.cases import Case
from dio_mc.machine.programs import WRITES
from dio_mc.machine.seen import WRITEBACK
from dio_mc.study.registry import LAYOUTS
from dio_mc.trace.trace import Trace

CALLS: Final = {
    "pread": "was_read(me, pread(me->cached, me->buffer, PAGE, 0));",
    "pread_direct": "was_read(me, pread(me->direct, me->buffer, PAGE, 0));",
    "pwrite": "fill(me->source, '{kind}');\nwas_written(me, pwrite(me->cached, me->source, PAGE, 0), \"{word}\");",
    "pwrite_direct": (
        "fill(me->source, '{kind}');\nwas_written(me, pwrite(me->direct, me->source, PAGE, 0), \"{word}\");"
    ),
    "io_submit_pread": "submit(me, IOCB_CMD_PREAD, me->buffer);",
    "io_submit_pwrite": "fill(me->source, '{kind}');\nsubmit(me, IOCB_CMD_PWRITE, me->source);",
    "io_getevents": (
        "long got = reap(me);\nif (me->request.aio_lio_opcode == IOCB_CMD_PREAD)\n\twas_read(me, got);\n"
        "else\n\twas_written(me, got, ((uint64_t *)me->source)[0] == word('N') ? \"new\" : \"newer\");"
    ),
    "mmap_load": (
        "if (sigsetjmp(me->past_the_end, 1)) {{\n\tseen(me, \"eof\");\n}} else {{\n"
        "\tmemcpy(me->buffer, me->mapping, PAGE);\n\tseen(me, page_is(me->buffer));\n}}"
    ),
    "mmap_store": (
        "me->seen[0] = 0;\nif (sigsetjmp(me->past_the_end, 1)) {{\n\tseen(me, \"eof\");\n}} else {{\n"
        "\t*(volatile uint64_t *)me->mapping = word('{kind}');\n\tseen(me, \"{word}\");\n}}"
    ),
    "punch_hole": (
        "if (fallocate(me->cached, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE))\n\tfail(\"fallocate\");\n"
        "me->seen[0] = 0;\nseen(me, \"zero\");"
    ),
    "truncate": "if (ftruncate(me->cached, 0))\n\tfail(\"ftruncate\");\nme->seen[0] = 0;\nseen(me, \"eof\");",
    "readahead": "readahead(me->cached, 0, PAGE);",
    "fsync": "if (fsync(me->cached) && errno == EIO)\n\tstrcpy(me->seen, \"error\");",
    "msync": "if (msync(me->mapping, PAGE, MS_SYNC) && errno == EIO)\n\tstrcpy(me->seen, \"error\");",
    "sync_file_range": (
        "sync_file_range(me->cached, 0, PAGE,\n\t\tSYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | "
        "SYNC_FILE_RANGE_WAIT_AFTER);"
    ),
    WRITEBACK: "sync_file_range(me->cached, 0, PAGE, SYNC_FILE_RANGE_WRITE); /* what the flusher does */",
}  # fmt: skip
"""Each system call in C; its result is stored in the thread's ``seen``, in the words of ``dio-mc outcomes``."""


def c_program(trace: Trace, case: Case) -> str:
    """The C program for a counterexample. Raises what `program` raises."""
    return program(_title(trace), case)


def program(title: str, case: Case) -> str:
    """The C program for a case. Raises `ModelError` DIO285 for a call or a layout that only guests have."""
    calls = [call.partition(":")[0] for program in case.programs for call in program.split(",")]
    unknown = [call for call in calls if call not in CALLS] + [case.layout][case.layout in LAYOUTS :]
    if unknown:
        raise usage_error("DIO285", f"no C program for `{unknown[0]}`, which only the guests of `confirm` have")
    shown = dict(case.results)
    rows = [f'\t{{ .name = "{n}", .expected = "{shown.get(n, "")}", .body = {_name(n)} }},\n' for n in case.threads]
    bodies = [_body(case, number) for number in range(len(case.threads))]
    values = {
        "ABOUT": "\n".join(f" * {line}".rstrip() for line in _about(title, case)),
        "MOUNT": f" ({_where(case)})" if case.file_system else "",
        "COUNT": str(len(case.threads)),
        "LAYOUT": case.layout,
        "BODIES": "\n".join(bodies),
        "TABLE": "".join(rows),
        "EXPECTED": ", ".join(f"{name} {result}" for name, result in case.results),
    }
    text = (INSIDE / "reproduce.c").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text)


def _where(case: Case) -> str:
    return case.file_system + (f" -o {case.mount}" if case.mount else "")


def _plain(text: str) -> str:
    """Text that is safe inside a comment in C or sh."""
    return "".join(c if c.isprintable() else " " for c in text).replace("*/", "* /")


def _title(trace: Trace) -> str:
    return f"{trace.property} of {trace.model.name} ({trace.model.file})"


def _about(title: str, case: Case) -> list[str]:
    lines = [_plain(title), "", "The schedule:"]
    for turn in case.turns:
        until = f" until {turn.function or 'the middle of its call'}" if turn.held else ""
        lines.append(_plain(f"  from step {turn.step} on {case.threads[turn.thread]} runs{until}"))
    if any(turn.held and "direct" in case.programs[turn.thread] for turn in case.turns):
        lines += ["", "Without a changed kernel, userfaultfd on the buffer of a direct call holds it between map and",
                  "submission, and dm-delay below the file system between submission and completion."]  # fmt: skip
    return lines


def _name(thread: str) -> str:
    return "body_" + re.sub(r"\W", "_", thread)


def _body(case: Case, number: int) -> str:
    lines: list[str] = []
    for turn in case.turns:
        if turn.thread == number and turn.held:
            place = _plain(turn.function or "the middle of the call")
            lines.append(f"/* a delay at {place} leaves it there as the schedule does, from step {turn.step} on */")
    for call in case.programs[number].split(","):
        name, _, value = call.partition(":")
        lines += CALLS[name].format(kind=WRITES.get(value, "N"), word=value.lower()).splitlines()
    inner = "".join(f"\t{line}\n" for line in lines)
    return f"static void {_name(case.threads[number])}(struct thread *me)\n{{\n{inner}}}\n"


def xfstests(trace: Trace, case: Case) -> str:
    """A test for fstests; its program is the result of `c_program`, as ``src/NAME.c``."""
    name = _program_name(trace)
    about = "\n".join(f"# {line}".rstrip() for line in _about(_title(trace), case))
    options = f'\nexport MOUNT_OPTIONS="-o {case.mount}"' if case.mount else ""
    prealloc = '\n_require_xfs_io_command "falloc"' if case.layout == "preallocated" else ""
    punch = '\n_require_xfs_io_command "fpunch"' if any("punch_hole" in p for p in case.programs) else ""
    return f"""\
#! /bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# FS QA Test NNN
#
{about}
#
# The program is src/{name}.c: dio-mc show TRACE --format c.
#
. ./common/preamble
_begin_fstest auto quick rw mmap

# Import common functions.
. ./common/filter

_require_scratch
_require_odirect
_require_test_program "{name}"{prealloc}{punch}
{options}
_scratch_mkfs >> "$seqres.full" 2>&1
_scratch_mount

"$here/src/{name}" "$SCRATCH_MNT/file" "$((1000 * LOAD_FACTOR))" >> "$seqres.full" ||
	echo "the race has happened, see $seqres.full"

# success, all done
echo "Silence is golden"
status=0
exit
"""


def _program_name(trace: Trace) -> str:
    return re.sub(r"\W+", "-", f"{trace.model.name.partition('@')[0]}-{trace.property}".lower()).strip("-")
