"""The kernel's primitives that are not locks: what each does, and what is misuse of it, word for word."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.semantics.interpreter import Interpreter

HEAD = """\
from dataclasses import dataclass
from enum import Enum

from dio_mc import *

class Page(Enum):
    CLEAN = 0
    DIRTY = 1

@dataclass(frozen=True)
class Request:
    index: Range(0, 1)
    write: bool = False

class M(Model):
    x = Var(Range(0, 9))
    go, killed = Var(bool), Var(bool)
    n = AtomicInt(low=-1, high=3)
    refs = Refcount(max=2)
    folio = FolioRefs(max=3)
    done = Completion(max=2)
    queue = WaitQueue()
    seq = SeqCount()
    rcu = RCU()
    srcu, other = SRCU(), SRCU()
    some = ExclusiveWaitQueue()
    fifo = BoundedQueue(of=Range(0, 3), size=2)
    mutex = Mutex()
    spin = SpinLock()
    sem = RWSem()
    fair = RWSem(writer_preference=True)
    range = RangeLock(size=2)
    classes = TwoClassLock()

"""


def interpreted(folder: Path, *bodies: str, head: str = HEAD) -> Interpreter:
    text = head
    for number, body in enumerate(bodies):
        text += f"    @thread\n    def t{number}(self):\n{textwrap.indent(textwrap.dedent(body), ' ' * 8)}\n"
    (folder / "model.py").write_text(text)
    return Interpreter(build(load_module(folder / "model.py").models[0]).program)


class Ends:
    """How the runs of some threads end: values of `x` where all have ended, faults, whether some run gets stuck."""

    def __init__(self, folder: Path, *bodies: str) -> None:
        interpreter = interpreted(folder, *bodies)
        names = interpreter.layout.names
        self.x: set[int] = set()
        self.faults: set[tuple[str, str]] = set()
        self.lines: set[int] = set()
        self.stuck = False
        seen = set(interpreter.initial())
        waiting = list(seen)
        while waiting:
            state = waiting.pop()
            steps = interpreter.successors(state)
            ended = not any(state[pc] for pc in interpreter.layout.pc)
            self.stuck |= not steps and not ended
            if ended:
                self.x.add(state[names.index("x")])
            for step in steps:
                if step.fault is not None:
                    self.faults.add((step.fault.kind, step.fault.message))
                    assert step.fault.span is not None
                    self.lines.add(step.fault.span.line - HEAD.count("\n"))
                elif step.state is not None and step.state not in seen:
                    seen.add(step.state)
                    waiting.append(step.state)


def add(value: str) -> str:
    """Twenty per thread would be too many values: each adds its own."""
    return f"with atomic():\n    self.x = self.x + {value}\n"


TAKEN = "ok = self.{0}\nif ok:\n    " + "self.x = 1\n"
RUNS = [
    ("one number", ["self.n.inc()\n" + "self.n.add(2)\nself.x = self.n.read()"], {3}, False),
    ("inc is one step", ["self.n.inc()\n" * 1] * 2 + ["wait_until(self.n.read() == 2)\nself.x = 2"], {2}, False),
    ("set, dec", ["self.n.set(3)\nself.n.dec()\nself.x = self.n.read()"], {2}, False),
    ("inc_return", ["got = self.n.inc_return()\nself.x = got"], {1}, False),
    ("dec_and_test of one", ["self.n.inc()\n" + TAKEN.format("n.dec_and_test()")], {1}, False),
    ("dec_and_test of two", ["self.n.set(2)\n" + TAKEN.format("n.dec_and_test()")], {0}, False),
    ("inc_not_zero of none", [TAKEN.format("n.inc_not_zero()")], {0}, False),
    ("inc_not_zero of one", ["self.n.inc()\nok = self.n.inc_not_zero()\nself.x = self.n.read()"], {2}, False),
    ("xchg", ["self.n.set(2)\ngot = self.n.xchg(3)\nself.x = got"], {2}, False),
    ("cmpxchg", ["got = self.n.cmpxchg(0, 2)\ngot = self.n.cmpxchg(1, 3)\nself.x = got"], {2}, False),
    ("the last of two references", ["self.refs.inc()\nself.go = True\n" + "last = self.refs.dec_and_test()\n"
     "if last:\n    " + add("1").replace("\n", "\n    ").rstrip(), "wait_until(self.go)\nlast = self.refs.dec_and_test()\n"
     "if last:\n    " + add("1").replace("\n", "\n    ").rstrip()], {1}, False),
    ("no reference of a dead object", ["last = self.refs.dec_and_test()\n" + TAKEN.format("refs.inc_not_zero()")], {0}, False),
    ("references again", ["self.refs.inc()\nself.refs.dec()\nself.x = self.refs.read()"], {1}, False),
    ("set", ["self.refs.set(2)\nself.refs.dec()\nself.x = self.refs.read()"], {1}, False),
    ("a pin is a reference", ["self.folio.pin()\nself.x = self.folio.read()\nlast = self.folio.unpin()"], {2}, False),
    ("a pinned folio", ["self.folio.pin()\nif self.folio.maybe_dma_pinned():\n    self.x = 1\nlast = self.folio.unpin()"], {1}, False),
    ("frozen", ["ok = self.folio.freeze(1)\nif ok:\n    " + "self.x = 1\n    self.folio.unfreeze(1)",
                "ok = self.folio.inc_not_zero()\nif not ok:\n    self.x = 2"], {0, 1, 2}, False),
    ("not frozen", ["ok = self.folio.freeze(2)\nif not ok:\n    self.x = 1"], {1}, False),
    ("completed", ["self.done.complete()", "self.done.wait_for_completion()\nself.x = 1"], {1}, False),
    ("one of two waiters", ["self.done.complete()", *["self.done.wait_for_completion()\n" + add("1")] * 2], set(), True),
    ("all waiters", ["self.done.complete_all()", *["self.done.wait_for_completion()\n" + add("1")] * 2], {2}, False),
    ("completed after all", ["self.done.complete_all()\nself.done.complete()\nself.done.wait_for_completion()"] * 2, {0}, False),
    ("not completed", [TAKEN.format("done.try_wait_for_completion()")], {0}, False),
    ("tried", ["self.done.complete()\n" + TAKEN.format("done.try_wait_for_completion()")], {1}, False),
    ("tried after all", ["self.done.complete_all()\n" + TAKEN.format("done.try_wait_for_completion()")], {1}, False),
    ("reinitialized", ["self.done.complete()\nself.done.reinit_completion()\n" + "self.done.wait_for_completion()"], set(), True),
    ("done or not", ["self.done.complete()\nif self.done.completion_done():\n    self.x = 1"], {1}, False),
    ("killed while it waits", ["self.killed = True", TAKEN.format("done.wait_for_completion_killable(self.killed)")], {0}, False),
    ("nobody is killed", [TAKEN.format("done.wait_for_completion_killable(self.killed)")], set(), True),
    ("completed and killed", ["self.done.complete()\nself.killed = True\n"
                              + TAKEN.format("done.wait_for_completion_killable(self.killed)")], {1}, False),
    ("woken", ["self.go = True\nself.queue.wake_up()", "while True:\n    self.queue.prepare_to_wait()\n    if self.go:\n"
     "        break\n    self.queue.schedule()\nself.queue.finish_wait()\nself.x = 1"], {1}, False),
    ("a lost wake-up", ["self.go = True\nself.queue.wake_up()", "if not self.go:\n    self.queue.prepare_to_wait()\n"
     "    self.queue.schedule()\n    self.queue.finish_wait()\nself.x = 1"], {1}, True),
    ("nobody to wake", ["if self.queue.waitqueue_active():\n    self.x = 1"], {0}, False),
    ("somebody to wake", ["self.queue.prepare_to_wait()\nif self.queue.waitqueue_active():\n    self.x = 1\nself.queue.finish_wait()"], {1}, False),
    ("killed while asleep", ["self.killed = True", "self.queue.prepare_to_wait()\nok = self.queue.schedule_killable(self.killed)\n"
     "self.queue.finish_wait()\nself.x = 1 if ok else 2"], {2}, False),
    ("read for good", ["good = False\ngot = 0\nwhile not good:\n    self.seq.read_begin()\n    got = self.x\n    retry = self.seq.read_retry()\n"
     "    good = not retry\nassert got != 1, \"half\"", "self.seq.write_begin()\nself.x = 1\nself.x = 2\nself.seq.write_end()"], {2}, False),
    ("a grace period waits for readers", ["self.rcu.rcu_read_lock()\nself.go = True\nself.x = 1\nself.rcu.rcu_read_unlock()",
     "wait_until(self.go)\nself.rcu.synchronize_rcu()\nself.x = 2"], {2}, False),
    ("an srcu grace period waits for readers that sleep", ["self.srcu.srcu_read_lock()\nself.go = True\nself.mutex.lock()\nself.x = 1\n"
     "self.mutex.unlock()\nself.srcu.srcu_read_unlock()", "wait_until(self.go)\nself.srcu.synchronize_srcu()\nself.x = 2"], {2}, False),
    ("and not for readers of another domain", ["self.other.srcu_read_lock()\nself.go = True\nself.x = 1\nself.other.srcu_read_unlock()",
     "wait_until(self.go)\nself.srcu.synchronize_srcu()\nself.x = 2"], {1, 2}, False),
    ("one exclusive waiter is woken", ["self.some.prepare_to_wait_exclusive()\nself.some.schedule()\nself.some.finish_wait()"] * 2
     + ["wait_until(self.some.waitqueue_active())\nself.some.wake_up()"], set(), True),
    ("and all that are not exclusive", ["self.some.prepare_to_wait()\nself.go = True\nself.some.schedule()\nself.some.finish_wait()\nself.x = 1",
     "self.some.prepare_to_wait_exclusive()\nself.some.schedule()\nself.some.finish_wait()\nself.killed = True",
     "wait_until(self.go and self.some.held_by(me) == False and self.some.queued[1])\nself.some.wake_up()"], {1}, False),
    ("or all", ["self.some.prepare_to_wait_exclusive()\nself.some.schedule()\nself.some.finish_wait()"] * 2
     + ["wait_until(self.some.queued[0] and self.some.queued[1])\nself.some.wake_up_all()\nself.x = 1"], {1}, False),
    ("and not for those that come later", ["self.rcu.rcu_read_lock()\nfirst = self.go\nsecond = self.go\n"
     "if second and not first:\n    self.x = 1\nself.rcu.rcu_read_unlock()", "self.rcu.synchronize_rcu()\nself.go = True"], {0, 1}, False),
    ("read-side sections nest", ["self.rcu.rcu_read_lock()\n" * 2 + "self.rcu.rcu_read_unlock()\nself.go = True\nself.x = 1\n"
     "self.rcu.rcu_read_unlock()", "wait_until(self.go)\nself.rcu.synchronize_rcu()\nself.x = 2"], {2}, False),
    ("first in, first out", ["self.fifo.put(1)\nself.fifo.put(3)", "a = self.fifo.get()\nb = self.fifo.get()\nself.x = a * 2 + b"], {5}, False),
    ("no room", ["self.fifo.put(1)\nself.fifo.put(1)\n" + TAKEN.format("fifo.try_put(2)")], {0}, False),
    ("room", ["self.fifo.put(1)\n" + TAKEN.format("fifo.try_put(2)")], {1}, False),
    ("a full queue waits", ["self.fifo.put(1)\n" * 3], set(), True),
    ("an empty queue waits", ["a = self.fifo.get()\nself.x = a"], set(), True),
    ("empty and full", ["if self.fifo.is_empty():\n    self.fifo.put(1)\nself.fifo.put(2)\nif self.fifo.is_full():\n"
     "    a = self.fifo.take()\n    self.x = a"], {1}, False),
    # trylock and killable variants of the locks
    ("spin trylock", ["self.spin.lock()\n" + TAKEN.format("spin.trylock()") + "self.spin.unlock()"], {0}, False),
    ("spin trylock of a free one", [TAKEN.format("spin.trylock()") + "    self.spin.unlock()"], {1}, False),
    ("range trylock", ["self.range.lock(0, 1)\n" + TAKEN.format("range.trylock(0, 2)") + "self.range.unlock(0, 1)"], {0}, False),
    ("range trylock beside", ["self.range.lock(0, 1)\n" + TAKEN.format("range.trylock(1, 2)") + "    self.range.unlock(1, 2)\n"
                              "self.range.unlock(0, 1)"], {1}, False),
    ("mutex killed", ["self.mutex.lock()\nself.mutex.hand_over()\nself.killed = True\n" + TAKEN.format("mutex.lock_killable(self.killed)")], {0}, False),
    ("mutex not killed", ["self.mutex.lock()\nself.mutex.hand_over()\n" + TAKEN.format("mutex.lock_killable(self.killed)")], set(), True),
    ("mutex free", [TAKEN.format("mutex.lock_killable(True)") + "    self.mutex.unlock()"], {1}, False),
    ("reader killed", ["self.sem.down_write()\nself.sem.hand_over()\nself.killed = True\n" + TAKEN.format("sem.down_read_killable(self.killed)")], {0}, False),
    ("reader not killed", ["self.sem.down_write()\nself.sem.hand_over()\n" + TAKEN.format("sem.down_read_killable(self.killed)")], set(), True),
    ("reader free", [TAKEN.format("sem.down_read_killable(False)") + "    self.sem.up_read()"], {1}, False),
    ("writer killed", ["self.sem.down_read()\nself.sem.hand_over()\nself.killed = True\n" + TAKEN.format("sem.down_write_killable(self.killed)")], {0}, False),
    ("writer free", [TAKEN.format("sem.down_write_killable(False)") + "    self.sem.up_write()"], {1}, False),
    ("a killed writer lets readers in", ["self.fair.down_read()\nself.fair.hand_over()\nself.killed = True\n"
     "ok = self.fair.down_write_killable(self.killed)\nself.fair.down_read()\nself.x = 1\nself.fair.up_read()"], {1}, False),
    ("direct handed over", ["self.classes.lock_direct()\nself.classes.hand_over()\n" + TAKEN.format("classes.trylock_buffered()")
                            + "self.classes.unlock_direct_non_owner()"], {0}, False),
    ("buffered handed over", ["self.classes.lock_buffered()\nself.classes.hand_over()\n" + TAKEN.format("classes.trylock_direct()")
                              + "self.classes.unlock_buffered_non_owner()"], {0}, False),
    ("buffered tried", [TAKEN.format("classes.trylock_buffered()") + "    self.classes.unlock_buffered()"], {1}, False),
    ("direct tried", [TAKEN.format("classes.trylock_direct()") + "    self.classes.unlock_direct()"], {1}, False),
]  # fmt: skip


@pytest.mark.parametrize(("bodies", "x", "stuck"), [c[1:] for c in RUNS], ids=[c[0] for c in RUNS])
def test_what_it_does(tmp_path: Path, bodies: list[str], x: set[int], stuck: bool) -> None:
    found = Ends(tmp_path, *bodies)
    assert (found.x, found.stuck, found.faults) == (x, stuck, set())


LOCK, OTHER = "lock_misuse", "misuse"
MISUSE = [
    ("last = self.refs.dec_and_test()\nself.refs.inc()", OTHER, "`refs` incremented from zero: the object has been freed"),
    ("self.refs.inc()\nself.refs.inc()", OTHER, "`refs` saturated: a reference is leaked"),
    ("self.refs.inc()\nok = self.refs.inc_not_zero()", OTHER, "`refs` saturated: a reference is leaked"),
    ("self.refs.dec()", OTHER, "`refs` decremented to zero by dec: nobody frees the object"),
    ("last = self.refs.dec_and_test()\nself.refs.dec()", OTHER, "`refs` decremented below zero: the object has been freed"),
    ("last = self.refs.dec_and_test()\nlast = self.refs.dec_and_test()", OTHER,
     "`refs` decremented below zero: the object has been freed"),
    ("self.n.set(3)\nself.n.inc()", "range", "value 4 outside -1..3 of self.n.value"),
    ("self.n.dec()\nself.n.dec()", "range", "value -2 outside -1..3 of self.n.value"),
    ("last = self.folio.unpin()", OTHER, "`folio` unpinned more often than pinned"),
    ("last = self.folio.dec_and_test()\nself.folio.pin()", OTHER, "`folio` pinned without a reference: the folio has been freed"),
    ("self.folio.pin()\nself.folio.pin()\nself.folio.pin()", OTHER, "`folio` saturated: a reference is leaked"),
    ("self.folio.unfreeze(1)", OTHER, "`folio` unfrozen while there are references"),
    ("ok = self.folio.freeze(1)\nself.folio.inc()", OTHER, "`folio` incremented from zero: the object has been freed"),
    ("self.done.complete()\n" * 3, "range", "value 3 outside 0..2 of self.done.count"),
    ("self.queue.finish_wait()", LOCK, "`queue` finish_wait without prepare_to_wait"),
    ("self.queue.prepare_to_wait()", LOCK, "`queue` is still held at exit"),
    ("self.seq.write_begin()\nself.seq.write_begin()", LOCK, "`seq` write_begin beside another writer"),
    ("self.seq.write_end()", LOCK, "`seq` write_end without write_begin"),
    ("self.seq.write_begin()", LOCK, "`seq` is still held at exit"),
    ("self.seq.write_begin()\nself.mutex.lock()", LOCK, "sleeps while holding `seq`"),
    ("self.srcu.srcu_read_unlock()", LOCK, "`srcu` srcu_read_unlock without srcu_read_lock"),
    ("self.srcu.srcu_read_lock()\nself.srcu.synchronize_srcu()", LOCK, "`srcu` synchronize_srcu inside a read-side section"),
    ("self.srcu.srcu_read_lock()", LOCK, "`srcu` is still held at exit"),
    ("self.spin.lock()\nself.srcu.synchronize_srcu()", LOCK, "sleeps while holding spinlock `spin`"),
    ("self.some.prepare_to_wait_exclusive()", LOCK, "`some` is still held at exit"),
    ("self.some.finish_wait()", LOCK, "`some` finish_wait without prepare_to_wait"),
    ("self.rcu.rcu_read_unlock()", LOCK, "`rcu` rcu_read_unlock without rcu_read_lock"),
    ("self.rcu.rcu_read_lock()\nself.rcu.synchronize_rcu()", LOCK, "`rcu` synchronize_rcu inside a read-side section"),
    ("self.rcu.rcu_read_lock()", LOCK, "`rcu` is still held at exit"),
    ("self.rcu.rcu_read_lock()\nself.mutex.lock()", LOCK, "sleeps while holding `rcu`"),
    ("self.rcu.rcu_read_lock()\n" * 3, "range", "value 3 outside 0..2 of self.rcu.readers[0]"),
    ("self.spin.lock()\nself.rcu.synchronize_rcu()", LOCK, "sleeps while holding spinlock `spin`"),
    ("self.spin.lock()\nself.done.wait_for_completion()", LOCK, "sleeps while holding spinlock `spin`"),
    ("self.spin.lock()\nself.queue.schedule()", LOCK, "sleeps while holding spinlock `spin`"),
    ("self.spin.lock()\nself.fifo.put(1)", LOCK, "sleeps while holding spinlock `spin`"),
    ("self.x = self.fifo.take()", OTHER, "`fifo` taken from while it is empty"),
    ("self.classes.hand_over()", LOCK, "`classes` handed over by a thread that does not hold it"),
    ("self.classes.unlock_direct_non_owner()", LOCK, "`classes` unlock_direct_non_owner without a user that handed it over"),
    ("self.classes.unlock_buffered_non_owner()", LOCK, "`classes` unlock_buffered_non_owner without a user that handed it over"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "message"), MISUSE, ids=[f"{m[2]}, {m[0].splitlines()[-1]}" for m in MISUSE])
def test_misuse_is_a_fault_where_the_model_calls(tmp_path: Path, body: str, kind: str, message: str) -> None:
    found = Ends(tmp_path, body)
    assert found.faults == {(kind, message)}
    at_exit = message.endswith("at exit")
    assert found.lines == {2 if at_exit else 2 + len(body.splitlines())}


def test_two_writers_of_a_sequence_counter_are_misuse(tmp_path: Path) -> None:
    body = "self.seq.write_begin()\nself.x = 1\nself.seq.write_end()"
    assert Ends(tmp_path, body, body).faults == {("lock_misuse", "`seq` write_begin beside another writer")}
    locked = f"self.spin.lock()\n{body}\nself.spin.unlock()"
    assert Ends(tmp_path, locked, locked).faults == set()


def test_spinning_readers_may_hold_a_spinlock(tmp_path: Path) -> None:
    body = "self.spin.lock()\nself.seq.read_begin()\nretry = self.seq.read_retry()\nself.x = 1 if retry else 2\nself.spin.unlock()"
    assert Ends(tmp_path, body, "self.seq.write_begin()\nself.seq.write_end()").faults == set()


OWN = '''\
from dio_mc import *
from dio_mc.lang.locks import Lock

class Bit(Lock):
    """A lock bit of one's own."""

    sleeps = False
    owner = Var(ThreadId | None)

    def held_by(self, thread):
        return self.owner == thread

    @atomic()
    def take(self):
        wait_until(self.owner is None)
        self.owner = me

    @atomic()
    def give(self):
        require(self.owner == me, "given by a thread that does not hold it")
        self.owner = None

class M(Model):
    x = Var(Range(0, 9))
    bit = Bit()
    mutex = Mutex()

'''


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("self.x = 1\nself.bit.give()", 4, "`bit` given by a thread that does not hold it"),
        ("self.bit.take()", 2, "`bit` is still held at exit"),
        ("self.bit.take()\nself.mutex.lock()", 4, "sleeps while holding `bit`"),
    ],
)
def test_a_lock_of_ones_own_has_the_same_checks(tmp_path: Path, body: str, line: int, message: str) -> None:
    interpreter = interpreted(tmp_path, body, head=OWN)
    states, faults = list(interpreter.initial()), []
    for state in states:
        for step in interpreter.successors(state):
            states += [step.state] if step.state is not None else []
            faults += [step.fault] if step.fault is not None else []
    (fault,) = faults
    assert (fault.kind, fault.message) == ("lock_misuse", message)
    assert fault.span is not None
    assert fault.span.line == OWN.count("\n") + line


@pytest.mark.parametrize(
    ("of", "first"), [("bool", "False"), ("Page", "CLEAN"), ("Range(1, 3)", "1"), ("range(2)", "0"), ("Page | None", "None")]
)  # fmt: skip
def test_what_a_free_place_of_a_queue_has(tmp_path: Path, of: str, first: str) -> None:
    head = HEAD.replace("of=Range(0, 3), size=2", f"of={of}, size=2")
    interpreter = interpreted(tmp_path, "self.x = 1", head=head)
    program = interpreter.program
    (items,) = (v for v in program.variables if v.path[:2] == ("fifo", ".items"))
    from dio_mc.ir.types import show_value

    assert {show_value(items.type, code) for code in items.init} == {first}


def test_a_queue_of_records_says_what_a_free_place_has(tmp_path: Path) -> None:
    head = HEAD.replace("of=Range(0, 3), size=2", "of=Request, size=2, empty=Request(0)")
    body = "self.fifo.put(Request(1, True))\ngot = self.fifo.get()\nself.x = got.index"
    assert interpreted(tmp_path, body, head=head).program
    with pytest.raises(ModelError) as error:
        interpreted(tmp_path, body, head=HEAD.replace("of=Range(0, 3), size=2", "of=Request, size=2"))
    assert "BoundedQueue of Request: say what a free place has, empty=Request(...)" in str(error.value)
