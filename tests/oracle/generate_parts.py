"""Statements that use counts, completions, wait queues, sequence counters, RCU, queues, and locks that are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PARTS = {
    "at": "AtomicInt(low=-1, high=2)", "rc": "Refcount(max=2)", "fr": "FolioRefs(init=1, max=2)",
    "co": "Completion(max=1)", "wq": "WaitQueue()", "ew": "ExclusiveWaitQueue()", "sq": "SeqCount()", "ru": "RCU(depth=2)", "su": "SRCU(depth=2)",
    "bq": "BoundedQueue(of=Range(0, 2), size=2)",
}  # fmt: skip
CONDITIONS = {
    "at": ["self.at.read() == 1", "self.at.read() > 0"], "rc": ["self.rc.read() == 0", "self.rc.read() > 1"],
    "fr": ["self.fr.maybe_dma_pinned()", "self.fr.read() == 1"], "co": ["self.co.completion_done()"],
    "wq": ["self.wq.waitqueue_active()", "self.wq.held_by(me)"], "sq": ["self.sq.held_by(me)"], "ew": ["self.ew.waitqueue_active()"],
    "ru": ["self.ru.held_by(me)"], "su": ["self.su.held_by(me)"], "bq": ["self.bq.is_empty()", "self.bq.is_full()"],
}  # fmt: skip
Body = Any
"""`generate.Body`."""


def use_part(body: Body) -> None:
    """One use of one of the model's parts, or two, right or wrong."""
    name = body.one(*body.g.parts)
    for _ in range(body.r.choice([1, 1, 2])):
        _use(name, body)


def _use(name: str, body: Body) -> None:
    {"at": _number, "rc": _references, "fr": _folio, "co": _completion, "wq": _wait_queue, "sq": _sequence,
     "ru": _rcu, "su": _srcu, "ew": _exclusive_queue, "bq": _queue}[name](body)  # fmt: skip


def try_lock(body: Body) -> bool:
    """A lock that is tried, or waited for until a signal; False where the model has none that can be."""
    killed = body.one("True", "False", *[f"self.{n}" for n in body.has("flag")])
    found: dict[str, list[tuple[str, str]]] = {
        "m": [(f"m.lock_killable({killed})", "m.unlock()")],
        "sp": [("sp.trylock()", "sp.unlock()")],
        "rl": [("rl.trylock(0, 1)", "rl.unlock(0, 1)"), ("rl.trylock(0, 2)", "rl.unlock(0, 2)")],
        "tc": [(f"tc.trylock_{w}()", f"tc.{r}") for w in ("buffered", "direct")
               for r in (f"unlock_{w}()", "hand_over()", f"unlock_{w}_non_owner()")],
    }  # fmt: skip
    for sem in ("s", "sw"):
        found[sem] = [(f"{sem}.down_{w}_killable({killed})", f"{sem}.{r}") for w in ("read", "write")
                      for r in (f"up_{w}()", f"up_{w}()", f"up_{w}_non_owner()", "downgrade_write()")]  # fmt: skip
    open_ = [name for name in body.g.locks if name in found]
    if not open_:
        return False
    take, release = body.r.choice(found[body.r.choice(open_)])
    got = _gives(body, "bool", take)
    body.lines_of(f"if {got}:", f"    self.{release}")
    if release == "tc.hand_over()":
        body.emit(f"self.tc.{body.one('unlock_buffered_non_owner()', 'unlock_direct_non_owner()', 'lock_direct()')}")
    return True


def _gives(body: Body, type_: str, call: str) -> str:
    """The new local that has what a call gives."""
    from generate import Known

    name: str = body.name()
    body.emit(f"{name} = self.{call}")
    body.known.append(Known(name, type_))
    return name


def _does(body: Body, *calls: str) -> None:
    body.emit(f"self.{body.one(*calls)}")


def _any_of(body: Body, *options: Callable[[], object]) -> None:
    body.r.choice(options)()


def _number(body: Body) -> None:
    small, other = body.small(), body.small()
    _any_of(
        body,
        lambda: _does(body, "at.inc()", "at.dec()", f"at.set({small})", "at.add(-1)", f"at.add({body.small()})"),
        lambda: _gives(body, "int", body.one("at.inc_return()", f"at.xchg({small})", f"at.cmpxchg({small}, {other})")),
        lambda: _gives(body, "bool", body.one("at.dec_and_test()", "at.inc_not_zero()")),
        lambda: _gives(body, "int", "at.read()"),
    )


def _references(body: Body) -> None:
    _any_of(
        body,
        lambda: _does(body, "rc.inc()", "rc.inc()", "rc.dec()", f"rc.set({body.small()})"),
        lambda: _gives(body, "bool", body.one("rc.inc_not_zero()", "rc.dec_and_test()")),
        lambda: body.lines_of(f"if {_gives(body, 'bool', 'rc.inc_not_zero()')}:", "    self.rc.dec()"),
    )


def _folio(body: Body) -> None:
    _any_of(
        body,
        lambda: body.lines_of("self.fr.pin()", f"{body.name()} = self.fr.unpin()"),
        lambda: body.lines_of(f"if {_gives(body, 'bool', 'fr.freeze(1)')}:", "    self.fr.unfreeze(1)"),
        lambda: _gives(body, "bool", body.one("fr.inc_not_zero()", "fr.dec_and_test()", "fr.unpin()")),
        lambda: _does(body, "fr.inc()", "fr.dec()", "fr.pin()", "fr.unfreeze(2)"),
    )


def _completion(body: Body) -> None:
    killed = body.one("True", *body.locals_of("bool"), *[f"self.{n}" for n in body.has("flag")])
    _any_of(
        body,
        lambda: _does(body, "co.complete()", "co.complete_all()", "co.wait_for_completion()"),
        lambda: _does(body, "co.complete()", "co.reinit_completion()", "co.wait_for_completion()"),
        lambda: _gives(
            body, "bool", body.one("co.try_wait_for_completion()", f"co.wait_for_completion_killable({killed})")
        ),
    )


def _wait_queue(body: Body) -> None:
    killed = body.one("True", *[f"self.{n}" for n in body.has("flag")])
    _any_of(
        body,
        lambda: _does(body, "wq.wake_up()"),
        lambda: _does(body, "wq.wake_up()", "wq.prepare_to_wait()", "wq.finish_wait()", "wq.schedule()"),
        lambda: body.lines_of("self.wq.prepare_to_wait()", f"if {body.condition()}:", "    self.wq.schedule()",
                              "self.wq.finish_wait()"),
        lambda: body.lines_of("self.wq.prepare_to_wait()", f"{body.name()} = self.wq.schedule_killable({killed})",
                              body.one("self.wq.finish_wait()", "self.wq.wake_up()")),
    )  # fmt: skip


def _exclusive_queue(body: Body) -> None:
    prepare = body.one(
        "self.ew.prepare_to_wait_exclusive()", "self.ew.prepare_to_wait_exclusive()", "self.ew.prepare_to_wait()"
    )
    _any_of(
        body,
        lambda: _does(body, "ew.wake_up()", "ew.wake_up()", "ew.wake_up_all()"),
        lambda: _does(body, "ew.wake_up()", "ew.prepare_to_wait_exclusive()", "ew.finish_wait()", "ew.schedule()"),
        lambda: body.lines_of(prepare, f"if {body.condition()}:", "    self.ew.schedule()", "self.ew.finish_wait()"),
    )


def _sequence(body: Body) -> None:
    def read() -> None:
        body.emit("self.sq.read_begin()")
        body.read()
        _gives(body, "bool", "sq.read_retry()")

    def write() -> None:
        body.emit("self.sq.write_begin()")
        body.one_of(body.write, body.write, body.wait)
        body.emit("self.sq.write_end()")

    _any_of(body, read, write, lambda: _does(body, "sq.write_begin()", "sq.write_end()", "sq.read_begin()"))


def _rcu(body: Body) -> None:
    def read() -> None:
        body.emit("self.ru.rcu_read_lock()")
        body.one_of(body.read, body.read, body.wait)
        body.emit("self.ru.rcu_read_unlock()")

    _any_of(
        body, read, read,
        lambda: _does(body, "ru.synchronize_rcu()"),
        lambda: _does(body, "ru.synchronize_rcu()", "ru.rcu_read_lock()", "ru.rcu_read_unlock()"),
    )  # fmt: skip


def _srcu(body: Body) -> None:
    def read() -> None:
        body.emit("self.su.srcu_read_lock()")
        body.one_of(body.read, body.wait, body.wait)
        body.emit("self.su.srcu_read_unlock()")

    _any_of(
        body, read, read,
        lambda: _does(body, "su.synchronize_srcu()"),
        lambda: _does(body, "su.synchronize_srcu()", "su.srcu_read_lock()", "su.srcu_read_unlock()"),
    )  # fmt: skip


def _queue(body: Body) -> None:
    item = body.number()
    _any_of(
        body,
        lambda: _does(body, f"bq.put({item})"),
        lambda: _gives(body, "bool", f"bq.try_put({item})"),
        lambda: _gives(body, "int", body.one("bq.get()", "bq.take()")),
    )
