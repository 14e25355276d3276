"""The oracle's own stand-ins for the words of the modelling language: types, declarations, locks, decorators.

Written from docs/language.md, sharing no code with dio_mc. A value of a state is an immutable Python value: numbers,
enum members, None, instances of frozen dataclasses, `Cells` for arrays, frozen dataclasses for locks; a thread id is its
number.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product
from typing import Any, ClassVar


class Blocked(Exception):
    """This run of the step does not exist."""


class Fault(Exception):
    """A run-time fault: its kind, and its line where the raiser knows it."""

    def __init__(self, kind: str, line: int = 0) -> None:
        super().__init__(kind)
        self.kind, self.line = kind, line


class Cells(tuple[Any, ...]):
    """An array: an index outside it is a fault, and in a property it reads the last element."""

    __slots__ = ()
    in_property: ClassVar[bool] = False

    def __getitem__(self, index: Any) -> Any:
        if index is None or not 0 <= index < len(self):
            if Cells.in_property:
                return tuple.__getitem__(self, -1)
            raise Fault("index")
        return tuple.__getitem__(self, index)


# --- types ------------------------------------------------------------------------------------------------------------


class ThreadId:
    """The type of `me`."""


@dataclass(frozen=True)
class Range:
    low: Any
    high: Any

    def __or__(self, other: Any) -> Either:
        return Either((self, other))


@dataclass(frozen=True)
class Either:
    members: tuple[Any, ...]


class Kind:
    """A type: its default, all its values, whether a value is one of it, how a value is shown."""

    def default(self) -> Any:
        raise NotImplementedError

    def values(self) -> list[Any]:
        raise NotImplementedError

    def check(self, value: Any) -> None:
        """A value that is none of the type is a fault `range`."""

    def show(self, value: Any) -> str:
        return str(value)


@dataclass(frozen=True)
class Bool(Kind):
    def default(self) -> Any:
        return False

    def values(self) -> list[Any]:
        return [False, True]

    def check(self, value: Any) -> None:
        assert isinstance(value, bool), value


@dataclass(frozen=True)
class Number(Kind):
    low: int
    high: int

    def default(self) -> Any:
        return min(max(0, self.low), self.high)

    def values(self) -> list[Any]:
        return list(range(self.low, self.high + 1))

    def check(self, value: Any) -> None:
        assert value is None or type(value) is int, value
        if value is None or not self.low <= value <= self.high:
            raise Fault("range")


@dataclass(frozen=True)
class Members(Kind):
    cls: Any

    def default(self) -> Any:
        return next(iter(self.cls))

    def values(self) -> list[Any]:
        return list(self.cls)

    def check(self, value: Any) -> None:
        if value is None:
            raise Fault("range")
        assert isinstance(value, self.cls), value

    def show(self, value: Any) -> str:
        return str(value.name)


@dataclass(frozen=True)
class Instances(Kind):
    names: tuple[str, ...]

    def default(self) -> Any:
        return 0

    def values(self) -> list[Any]:
        return list(range(len(self.names)))

    def check(self, value: Any) -> None:
        if value is None:
            raise Fault("range")

    def show(self, value: Any) -> str:
        return self.names[value]


@dataclass(frozen=True)
class Maybe(Kind):
    inner: Kind

    def default(self) -> Any:
        return None

    def values(self) -> list[Any]:
        return [None, *self.inner.values()]

    def check(self, value: Any) -> None:
        if value is not None:
            self.inner.check(value)

    def show(self, value: Any) -> str:
        return "None" if value is None else self.inner.show(value)


@dataclass(frozen=True)
class Record(Kind):
    cls: Any
    fields: tuple[tuple[str, Kind], ...]

    def default(self) -> Any:
        given = {f.name: f.default for f in dataclasses.fields(self.cls) if f.default is not dataclasses.MISSING}
        return self.cls(**{n: given.get(n, k.default()) for n, k in self.fields})

    def values(self) -> list[Any]:
        return [self.cls(*v) for v in product(*(k.values() for _, k in self.fields))]

    def check(self, value: Any) -> None:
        assert type(value) is self.cls, value
        for name, kind in self.fields:
            kind.check(getattr(value, name))

    def show(self, value: Any) -> str:
        shown = (f"{n}={k.show(getattr(value, n))}" for n, k in self.fields)
        return f"{self.cls.__name__}({', '.join(shown)})"


@dataclass(frozen=True)
class OneOf(Kind):
    """A union of records."""

    records: tuple[Record, ...]

    def _of(self, value: Any) -> Record:
        return next(r for r in self.records if r.cls is type(value))

    def default(self) -> Any:
        return self.records[0].default()

    def check(self, value: Any) -> None:
        self._of(value).check(value)

    def show(self, value: Any) -> str:
        return self._of(value).show(value)


@dataclass(frozen=True)
class ArrayOf(Kind):
    size: int
    element: Kind

    def default(self) -> Any:
        return Cells([self.element.default()] * self.size)

    def values(self) -> list[Any]:
        return [Cells(v) for v in product(self.element.values(), repeat=self.size)]

    def check(self, value: Any) -> None:
        assert len(value) == self.size, value
        for one in value:
            self.element.check(one)

    def show(self, value: Any) -> str:
        return "[" + ", ".join(self.element.show(v) for v in value) + "]"


def settled(kind: Any, value: Any) -> Any:
    """A value as it is kept: of the type, arrays as `Cells`."""
    kind.check(value)
    if isinstance(kind, ArrayOf):
        return Cells(settled(kind.element, v) for v in value)
    if isinstance(kind, Record):
        return kind.cls(**{n: settled(k, getattr(value, n)) for n, k in kind.fields})
    if isinstance(kind, OneOf):
        return settled(next(r for r in kind.records if r.cls is type(value)), value)
    return value


def kind_of(written: Any, names: tuple[str, ...]) -> Kind:
    """The type that an annotation or declaration means."""
    if written is bool:
        return Bool()
    if written is ThreadId:
        return Instances(names)
    if isinstance(written, range):
        return Number(written.start, written.stop - 1)
    if isinstance(written, Range):
        return Number(resolve(written.low), resolve(written.high))
    if isinstance(written, type) and issubclass(written, Enum):
        return Members(written)
    if dataclasses.is_dataclass(written) and isinstance(written, type):
        return Record(written, tuple((f.name, kind_of(f.type, names)) for f in dataclasses.fields(written)))
    if isinstance(written, Declared):
        return arrays(written.size, kind_of(written.type, names))
    members = written.members if isinstance(written, Either) else typing.get_args(written)
    rest = [m for m in members if m not in (None, type(None))]
    if len(rest) < len(members):
        return Maybe(kind_of(rest[0], names))
    assert isinstance(written, Either | types.UnionType), written
    records = [kind_of(m, names) for m in rest]
    return OneOf(tuple(r for r in records if isinstance(r, Record)))


def arrays(size: Any, element: Kind) -> Kind:
    """One array per dimension."""
    for one in reversed(size if isinstance(size, tuple) else (size,)):
        element = ArrayOf(resolve(one), element)
    return element


# --- declarations -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Param:
    """A parameter; it stands for its default."""

    value: Any
    min: Any = None
    max: Any = None

    def __add__(self, other: Any) -> Param:
        return Param(self.value + resolve(other))

    def __sub__(self, other: Any) -> Param:
        return Param(self.value - resolve(other))

    def __mul__(self, other: Any) -> Param:
        return Param(self.value * resolve(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < resolve(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self.value > resolve(other))

    __radd__ = __add__
    __rmul__ = __mul__


def resolve(value: Any) -> Any:
    """A number, whatever way it was written."""
    return value.value if isinstance(value, Param) else value


@dataclass
class Declared:
    type: Any
    size: Any = None
    init: Any = None
    ghost: bool = False
    per_thread: bool = False
    ordering: str | None = None


NOTHING = object()


def Var(type: Any, *, init: Any = NOTHING, ghost: bool = False, ordering: Any = None) -> Any:  # noqa: N802  # as it is spelled
    return Declared(type, None, init, ghost, ordering=ordering)


def Array(type: Any, *, size: Any, init: Any = NOTHING, ghost: bool = False) -> Any:  # noqa: N802  # as the language spells it
    return Declared(type, size, init, ghost)


def PerThread(type: Any, *, init: Any = NOTHING, ghost: bool = False) -> Any:  # noqa: N802  # as the language spells it
    return Declared(type, None, init, ghost, True)


# --- locks ------------------------------------------------------------------------------------------------------------
# Each method takes the running thread and returns the lock as it is afterwards, and a result.


def rule(kept: bool) -> None:
    """A rule of a lock."""
    if not kept:
        raise Fault("lock_misuse")


def wait(condition: bool) -> None:
    """Block unless the condition holds."""
    if not condition:
        raise Blocked


Done = tuple[Any, Any]


class Lock(Kind):
    """A lock is a kind of value as well: `steps` are its methods, `sleeping` those that may sleep."""

    steps: ClassVar[tuple[str, ...]] = ()
    sleeping: ClassVar[tuple[str, ...]] = ()
    quiet: ClassVar[bool] = False
    """Its holder must not sleep."""

    def before(self, method: str) -> str | None:
        """A step that comes before that of a method."""
        return None

    def fresh(self, threads: int) -> Lock:
        return self

    def held_by(self, thread: int) -> bool:
        return False

    def shown(self) -> str:
        raise NotImplementedError


def _name(names: tuple[str, ...], thread: Any) -> str:
    return "None" if thread is None else names[thread]


@dataclass(frozen=True)
class Mutex(Lock):
    owner: Any = None
    handed: bool = False
    steps = ("lock", "trylock", "lock_killable", "unlock", "hand_over", "unlock_non_owner")
    sleeping = ("lock", "lock_killable")

    def held_by(self, thread: int) -> bool:
        return bool(self.owner == thread)

    def is_locked(self) -> bool:
        return self.owner is not None or self.handed

    def lock(self, me: int) -> Done:
        wait(not self.is_locked())
        return replace(self, owner=me), None

    def trylock(self, me: int) -> Done:
        return (self, False) if self.is_locked() else (replace(self, owner=me), True)

    def lock_killable(self, me: int, killed: bool) -> Done:
        wait(killed or not self.is_locked())
        return self.trylock(me)

    def unlock(self, me: int) -> Done:
        rule(self.owner == me)
        return replace(self, owner=None), None

    def hand_over(self, me: int) -> Done:
        rule(self.owner == me)
        return replace(self, owner=None, handed=True), None

    def unlock_non_owner(self, me: int) -> Done:
        rule(self.handed)
        return replace(self, handed=False), None

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"owner={_name(names, self.owner)} handed={self.handed}"


class PageLock(Mutex):
    pass


@dataclass(frozen=True)
class SpinLock(Lock):
    owner: Any = None
    steps = ("lock", "trylock", "unlock")
    quiet = True

    def held_by(self, thread: int) -> bool:
        return bool(self.owner == thread)

    def is_locked(self) -> bool:
        return self.owner is not None

    def lock(self, me: int) -> Done:
        wait(self.owner is None)
        return replace(self, owner=me), None

    def trylock(self, me: int) -> Done:
        return (replace(self, owner=me), True) if self.owner is None else (self, False)

    def unlock(self, me: int) -> Done:
        rule(self.owner == me)
        return replace(self, owner=None), None

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"owner={_name(names, self.owner)}"


@dataclass(frozen=True)
class RWSem(Lock):
    writer_preference: bool = False
    writer: Any = None
    reading: frozenset[int] = frozenset()
    waiting: frozenset[int] = frozenset()
    handed_writer: bool = False
    handed_readers: int = 0
    steps = (
        "down_read", "up_read", "down_write", "up_write", "down_read_trylock", "down_write_trylock", "downgrade_write",
        "hand_over", "up_read_non_owner", "up_write_non_owner", "down_read_killable", "down_write_killable",
    )  # fmt: skip
    sleeping = ("down_read", "down_write", "down_read_killable", "down_write_killable")

    def before(self, method: str) -> str | None:
        return "queue" if self.writer_preference and method == "down_write" else None

    def held_by(self, thread: int) -> bool:
        return bool(self.writer == thread) or thread in self.reading

    def is_locked(self) -> bool:
        return self.closed_to_writers()

    def closed_to_readers(self) -> bool:
        return self.writer is not None or self.handed_writer or bool(self.waiting)

    def closed_to_writers(self) -> bool:
        return self.writer is not None or self.handed_writer or bool(self.reading) or self.handed_readers > 0

    def down_read(self, me: int) -> Done:
        wait(not self.closed_to_readers() and me not in self.reading)
        return replace(self, reading=self.reading | {me}), None

    def down_read_trylock(self, me: int) -> Done:
        if self.closed_to_readers() or me in self.reading:
            return self, False
        return replace(self, reading=self.reading | {me}), True

    def up_read(self, me: int) -> Done:
        rule(me in self.reading)
        return replace(self, reading=self.reading - {me}), None

    def queue(self, me: int) -> Done:
        """With writer preference, the first step of down_write."""
        return replace(self, waiting=self.waiting | {me}), None

    def down_read_killable(self, me: int, killed: bool) -> Done:
        wait(killed or not (self.closed_to_readers() or me in self.reading))
        return self.down_read_trylock(me)

    def down_write_killable(self, me: int, killed: bool) -> Done:
        wait(killed or not self.closed_to_writers())
        return self.down_write_trylock(me)

    def down_write(self, me: int) -> Done:
        wait(not self.closed_to_writers())
        return replace(self, writer=me, waiting=self.waiting - {me}), None

    def down_write_trylock(self, me: int) -> Done:
        return (self, False) if self.closed_to_writers() else (replace(self, writer=me), True)

    def up_write(self, me: int) -> Done:
        rule(self.writer == me)
        return replace(self, writer=None), None

    def downgrade_write(self, me: int) -> Done:
        rule(self.writer == me)
        return replace(self, writer=None, reading=self.reading | {me}), None

    def hand_over(self, me: int) -> Done:
        rule(self.held_by(me))
        if self.writer == me:
            return replace(self, writer=None, handed_writer=True), None
        if self.handed_readers == 7:
            raise Fault("range")
        return replace(self, reading=self.reading - {me}, handed_readers=self.handed_readers + 1), None

    def up_read_non_owner(self, me: int) -> Done:
        rule(self.handed_readers > 0)
        return replace(self, handed_readers=self.handed_readers - 1), None

    def up_write_non_owner(self, me: int) -> Done:
        rule(self.handed_writer)
        return replace(self, handed_writer=False), None

    def show_with(self, names: tuple[str, ...]) -> str:
        sets = " ".join(f"{n}={sorted(names[t] for t in getattr(self, n))}" for n in ("reading", "waiting"))
        handed = f"handed_writer={self.handed_writer} handed_readers={self.handed_readers}"
        return f"writer={_name(names, self.writer)} {sets} {handed}"


@dataclass(frozen=True)
class RangeLock(Lock):
    size: Any = 1
    owner: tuple[Any, ...] = ()
    handed: tuple[bool, ...] = ()
    steps = ("lock", "trylock", "unlock", "hand_over", "unlock_non_owner")
    sleeping = ("lock",)

    def fresh(self, threads: int) -> Lock:
        size = resolve(self.size)
        return replace(self, size=size, owner=(None,) * size, handed=(False,) * size)

    def held_by(self, thread: int) -> bool:
        return thread in self.owner

    def lock(self, me: int, low: int, high: int) -> Done:
        wait(all(o is None and not h for o, h in list(zip(self.owner, self.handed, strict=True))[low:high]))
        return replace(self, owner=tuple(me if low <= i < high else o for i, o in enumerate(self.owner))), None

    def trylock(self, me: int, low: int, high: int) -> Done:
        inside = [i for i in range(len(self.owner)) if low <= i < high]
        if any(self.owner[i] is not None or self.handed[i] for i in inside):
            return self, False
        return replace(self, owner=tuple(me if i in inside else o for i, o in enumerate(self.owner))), True

    def unlock(self, me: int, low: int, high: int) -> Done:
        rule(all(o == me for i, o in enumerate(self.owner) if low <= i < high))
        return replace(self, owner=tuple(None if low <= i < high else o for i, o in enumerate(self.owner))), None

    def hand_over(self, me: int, low: int, high: int) -> Done:
        released, _ = self.unlock(me, low, high)
        return replace(released, handed=tuple(low <= i < high or h for i, h in enumerate(self.handed))), None

    def unlock_non_owner(self, me: int, low: int, high: int) -> Done:
        rule(all(self.handed[low:high]))
        return replace(self, handed=tuple(h and not low <= i < high for i, h in enumerate(self.handed))), None

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"owner={[_name(names, o) for o in self.owner]} handed={[str(h) for h in self.handed]}"


@dataclass(frozen=True)
class DrainCounter(Lock):
    max: Any = 7
    count: int = 0
    steps = ("begin", "end", "wait")
    sleeping = ("wait",)

    def begin(self, me: int) -> Done:
        if self.count == resolve(self.max):
            raise Fault("range")
        return replace(self, count=self.count + 1), None

    def end(self, me: int) -> Done:
        rule(self.count > 0)
        return replace(self, count=self.count - 1), None

    def wait(self, me: int) -> Done:
        wait(self.count == 0)
        return self, None

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"count={self.count}"


@dataclass(frozen=True)
class TwoClassLock(Lock):
    buffered: frozenset[int] = frozenset()
    direct: frozenset[int] = frozenset()
    handed_buffered: int = 0
    handed_direct: int = 0
    steps = (
        "lock_buffered", "trylock_buffered", "unlock_buffered", "lock_direct", "trylock_direct", "unlock_direct",
        "hand_over", "unlock_buffered_non_owner", "unlock_direct_non_owner",
    )  # fmt: skip
    sleeping = ("lock_buffered", "lock_direct")

    def held_by(self, thread: int) -> bool:
        return thread in self.buffered or thread in self.direct

    def closed(self, own: str, other: str, me: int) -> bool:
        return bool(getattr(self, other)) or getattr(self, f"handed_{other}") > 0 or me in getattr(self, own)

    def trylock(self, own: str, other: str, me: int) -> Done:
        if self.closed(own, other, me):
            return self, False
        return replace(self, **{own: getattr(self, own) | {me}}), True

    def trylock_buffered(self, me: int) -> Done:
        return self.trylock("buffered", "direct", me)

    def trylock_direct(self, me: int) -> Done:
        return self.trylock("direct", "buffered", me)

    def lock_buffered(self, me: int) -> Done:
        wait(not self.closed("buffered", "direct", me))
        return self.trylock_buffered(me)[0], None

    def unlock_buffered(self, me: int) -> Done:
        rule(me in self.buffered)
        return replace(self, buffered=self.buffered - {me}), None

    def lock_direct(self, me: int) -> Done:
        wait(not self.closed("direct", "buffered", me))
        return self.trylock_direct(me)[0], None

    def unlock_direct(self, me: int) -> Done:
        rule(me in self.direct)
        return replace(self, direct=self.direct - {me}), None

    def hand_over(self, me: int) -> Done:
        rule(self.held_by(me))
        own = "direct" if me in self.direct else "buffered"
        count = getattr(self, f"handed_{own}")
        if count == 7:
            raise Fault("range")
        return replace(self, **{own: getattr(self, own) - {me}, f"handed_{own}": count + 1}), None

    def unlock_buffered_non_owner(self, me: int) -> Done:
        rule(self.handed_buffered > 0)
        return replace(self, handed_buffered=self.handed_buffered - 1), None

    def unlock_direct_non_owner(self, me: int) -> Done:
        rule(self.handed_direct > 0)
        return replace(self, handed_direct=self.handed_direct - 1), None

    def show_with(self, names: tuple[str, ...]) -> str:
        sets = " ".join(f"{n}={sorted(names[t] for t in getattr(self, n))}" for n in ("buffered", "direct"))
        return f"{sets} handed_buffered={self.handed_buffered} handed_direct={self.handed_direct}"


LOCKS: tuple[Any, ...] = (Mutex, PageLock, SpinLock, RWSem, RangeLock, DrainCounter, TwoClassLock)


def locks_in(value: Any) -> Iterator[Lock]:
    """The locks in a value of a variable."""
    if isinstance(value, Lock):
        yield value
    elif isinstance(value, Cells):
        for one in value:
            yield from locks_in(one)


# --- decorators -------------------------------------------------------------------------------------------------------


class Model:
    """What models derive from."""

    def __init_subclass__(cls, *, abstract: bool = False) -> None:
        cls.abstract = abstract


@dataclass(frozen=True)
class Role:
    """What a function was decorated as; of a property, `kind` and `fairness`."""

    word: str
    instances: Any = 1
    daemon: bool = False
    slots: Any = None
    depth: Any = None
    kind: str = ""
    fairness: str = "weak"


def _mark(role: Role) -> Callable[[Any], Any]:
    def mark(function: Any) -> Any:
        function.role = role
        return function

    return mark


def thread(function: Any = None, *, instances: Any = 1, daemon: bool = False) -> Any:
    mark = _mark(Role("thread", instances, daemon))
    return mark if function is None else mark(function)


def operation(*, kernel: Any = None, slots: Any = None, depth: Any = None) -> Any:
    return _mark(Role("operation", slots=slots, depth=depth))


def invariant(function: Any) -> Any:
    return _mark(Role("property", kind="invariant"))(function)


def reachable(function: Any) -> Any:
    return _mark(Role("property", kind="reachable"))(function)


def always_reachable(function: Any) -> Any:
    return _mark(Role("property", kind="always_reachable"))(function)


def progress(function: Any = None, *, fairness: str = "weak") -> Any:
    mark = _mark(Role("property", kind="progress", fairness=fairness))
    return mark if function is None else mark(function)


def implies(premise: Any, conclusion: Any) -> bool:
    return not premise or bool(conclusion)


def expect(*given: Any, **stated: Any) -> None:
    """What a file expects of its classes is not the oracle's affair."""


def atomic() -> Any:
    def mark(function: Any) -> Any:
        function.atomic = True
        return function

    return mark


WORDS: dict[str, Any] = {
    "Model": Model, "Var": Var, "Array": Array, "PerThread": PerThread, "Param": Param, "Range": Range,
    "ThreadId": ThreadId, "thread": thread, "operation": operation, "invariant": invariant, "reachable": reachable,
    "always_reachable": always_reachable, "progress": progress, "expect": expect, "atomic": atomic,
    "smp_load_acquire": lambda value: value, "Implies": implies, "And": lambda *parts: all(parts), "Or": lambda *parts: any(parts),
    "Not": lambda part: not part, "Xor": lambda one, other: bool(one) != bool(other),
    "If": lambda test, one, other: one if test else other,
    **{cls.__name__: cls for cls in LOCKS},
}  # fmt: skip
