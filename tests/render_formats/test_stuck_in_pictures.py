"""What the diagram of a deadlock shows: every blocked call in its lane, who keeps it from going on, the circle."""

from __future__ import annotations

from pathlib import Path

from dio_mc.api import check
from dio_mc.frontend import load_module
from dio_mc.render.commit import render_commit
from dio_mc.render.text import render_text
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import open_registry, pair
from dio_mc.trace.trace import Trace

QUEUED = """\
from dio_mc import *

class M(Model):
    s = RWSem(writer_preference=True)
    go = Var(bool)
    @thread
    def reader1(self):
        self.s.down_read()
        wait_until(self.go)
        self.s.up_read()
    @thread
    def writer(self):
        self.s.down_write()
        self.s.up_write()
    @thread
    def reader2(self):
        self.s.down_read()
        self.go = True
        self.s.up_read()
"""
RING = """\
from dio_mc import *

class M(Model):
    a, b, c = Mutex(), Mutex(), Mutex()
    done = Var(bool)
    @thread
    def one(self):
        self.a.lock()
        self.b.lock()
    @thread
    def two(self):
        self.b.lock()
        self.c.lock()
    @thread
    def three(self):
        self.c.lock()
        self.a.lock()
        self.done = True
    @thread
    def bystander(self):
        wait_until(self.done)
"""


def deadlock(folder: Path, text: str) -> Trace:
    (folder / "m.py").write_text(text)
    (model,) = load_module(folder / "m.py").models
    return next(trace for trace in check(model).traces if trace.property == "deadlock")


def test_a_reader_waits_for_a_writer_that_has_queued(tmp_path: Path) -> None:
    trace = deadlock(tmp_path, QUEUED)
    assert (
        render_commit(trace)
        == """\
CPU0 (reader1)        CPU1 (writer)         CPU2 (reader2)

down_read(s)
                      down_write(s)
/* waits until go */
/* only CPU2 can change go */
                      /* waits: held by CPU0 */
                                            down_read(s)
                                            /* waits: CPU1 has queued */

Nothing can run any more. CPU0 holds s (reading) and waits until go, and
only CPU2 can change go. CPU1 waits at down_write(s), held by CPU0. CPU2
waits at down_read(s), for which CPU1 has queued. Circular wait: CPU0 ->
CPU2 -> CPU1 -> CPU0."""
    )
    said = (
        "CPU0 waits for go, which only CPU2 can change, CPU2 for s, for which CPU1 has queued (2), CPU1 for s of CPU0 "
        "(1): a cycle."
    )
    assert said in " ".join(render_text(trace).split())


def test_three_parties_and_one_that_never_ran(tmp_path: Path) -> None:
    assert (
        render_commit(deadlock(tmp_path, RING))
        == """\
CPU0 (one), CPU1 (two), CPU2 (three), CPU3 (bystander)

1. CPU0  lock(a)
2. CPU1  lock(b)
3. CPU2  lock(c)
   CPU0  lock(b)
         /* waits: held by CPU1 */
   CPU1  lock(c)
         /* waits: held by CPU2 */
   CPU2  lock(a)
         /* waits: held by CPU0 */
   CPU3  /* waits until done */
         /* only CPU2 can change done */

Nothing can run any more. CPU0 holds a and waits at lock(b), held by
CPU1. CPU1 holds b and waits at lock(c), held by CPU2. CPU2 holds c and
waits at lock(a), held by CPU0. CPU3 waits until done, and only CPU2 can
change done. Circular wait: CPU0 -> CPU1 -> CPU2 -> CPU0."""
    )


def test_the_records_of_calls_are_not_drawn() -> None:
    """What a rule keeps to judge its reads is history: no call and no line of the diagram is about it."""
    registry = open_registry()
    found = outcomes(pair(registry, "direct_write", "direct_read"), registry.rules["generic_2005"])
    drawn = [render_commit(o.trace) for one in found for o in one.outcomes if o.trace is not None]
    assert drawn
    for text in drawn:
        assert "call_begins" not in text
        assert "stage[" not in text
        assert "direct_write(0, NEW)\n" in text
    locks = "    generic_file_aio_write(0)\n      mutex_lock()\n        lock(i_mutex)"
    begins = f"  generic_file_direct_write(0, NEW)\n{locks}"
    assert any(begins in text for text in drawn)
