"""Every construct of a property: both translations are proved equal, and the evaluator says what plain Python says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import pytest
import z3
from plain import agrees, built, judged, prop, table
from z3 import And, If, Implies, Not, Or, Xor

from dio_mc import (
    Array,
    Model,
    Mutex,
    Param,
    PerThread,
    Range,
    RangeLock,
    RWSem,
    ThreadId,
    Var,
    invariant,
    operation,
    reachable,
    thread,
    threads,
    window,
)
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import Decision
from dio_mc.symbolic.evaluator import property_evaluator


class Color(Enum):
    RED = 10
    GREEN = 20
    BLUE = 30


@dataclass(frozen=True)
class Point:
    x: Range(0, 2)
    y: Range(0, 2)

    def on_diagonal(self):
        return self.x == self.y


@dataclass(frozen=True)
class Empty:
    pass


@dataclass(frozen=True)
class Full:
    color: Color
    count: Range(0, 2)


def positive(n):
    return n > 0


def farther(a, b, by=1):
    return a - b > by


THRESHOLD = 2
ORIGIN = Point(0, 0)


class Zoo(Model):
    size = Param(3)
    strict = Param(True)
    limit = 2

    x = Var(Range(-2, 3))
    y = Var(Range(-2, 3))
    flag = Var(bool)
    other = Var(bool)
    color = Var(Color)
    paint = Var(Color)
    colors = Array(Color, size=size)
    cells = Array(Range(0, 2), size=size)
    grid = Array(Range(0, 2), size=(2, 2))
    flags = Array(bool, size=size)
    maybe = Var(Range(1, 3) | None)
    shade = Var(Color | None)
    perhaps = Var(Color | None)
    point = Var(Point)
    twin = Var(Point)
    slot = Var(Empty | Full)
    mutex = Mutex()
    sem = RWSem()
    ranged = RangeLock(size=2)
    locks = Array(Mutex, size=2)
    mine = PerThread(bool)
    who = Var(ThreadId)

    @thread(instances=2)
    def worker(self, k):
        self.x = 0

    @thread
    def boss(self):
        self.y = 0

    def big(self, n):
        return n >= self.limit

    def both(self, a, b=True):
        return self.flag == a and self.other == b


CASES: list[tuple[Callable[..., object], Callable[..., bool]]] = []


def case(predicate: Callable[..., bool]):
    def note(function):
        CASES.append((function, predicate))
        return function

    return note


# fmt: off
@case(lambda x: x != 1)
def not_of_a_comparison(self): return not (self.x == 1)  # noqa: SIM201  # the spelling under test

@case(lambda x, y: x == 1 and y != 1)
def conjunction(self): return self.x == 1 and not self.y == 1  # noqa: SIM201  # the spelling under test

@case(lambda flag, other: not flag or other)
def disjunction(self): return not self.flag or self.other

@case(lambda x, y: -1 <= x < y <= 2)
def chain(self): return -1 <= self.x < self.y <= 2

@case(lambda x, y: x != y != 0)
def chain_of_unequals(self): return self.x != self.y != 0

@case(lambda x: x in (1, 3))
def membership(self): return self.x in (1, 3)

@case(lambda x: x not in (1, 3))
def no_membership(self): return self.x not in [1, 3]

@case(lambda x: x in range(2))
def in_a_range(self): return self.x in range(self.size - 1)

@case(lambda x: x in range(-2, 3, 2))
def in_a_range_with_a_step(self): return self.x in range(-2, 3, 2)

@case(lambda x, cells_0, cells_1, cells_2: x in (cells_0, cells_1, cells_2))
def in_an_array(self): return self.x in self.cells

@case(lambda flag, x, y: (x if flag else y) > 0)
def choice(self): return (self.x if self.flag else self.y) > 0

@case(lambda flag, color: (color if flag else 2) == 2)
def choice_of_enums(self): return (self.color if self.flag else Color.BLUE) == Color.BLUE

@case(lambda flag, x: not flag or x > 0)
def choice_with_none(self): return (self.x if self.flag else None) is None or self.x > 0 or not self.flag

@case(lambda flag, maybe: not (flag and maybe == 2))
def choice_of_optional(self): return (self.maybe if self.flag else None) != 2

@case(lambda color: color == 1)
def an_enum(self): return self.color == Color.GREEN

@case(lambda color: color == 1)
def an_enum_on_the_right(self): return self.color == Color.GREEN

@case(lambda color: color in (0, 2))
def enums_in_a_tuple(self): return self.color in (Color.RED, Color.BLUE)

@case(lambda color, paint: color == paint)
def two_enums(self): return self.color == self.paint

@case(lambda color: color < 2)
def order_of_enums(self): return self.color < Color.BLUE

@case(lambda color: True)
def every_color(self): return any(self.color == c for c in Color) or self.color == Color.RED

@case(lambda maybe: maybe == 0)
def none(self): return self.maybe is None

@case(lambda maybe: maybe != 0)
def not_none(self): return self.maybe is not None

@case(lambda maybe: maybe == 0)
def equal_to_none(self): return self.maybe == None  # noqa: E711  # the spelling under test

@case(lambda maybe: maybe == 3)
def an_optional(self): return self.maybe == 3

@case(lambda shade: shade != 2)
def an_optional_enum(self): return self.shade != Color.BLUE

@case(lambda shade, perhaps: shade == perhaps)
def two_optionals(self): return self.shade == self.perhaps

@case(lambda shade, color: shade == color)
def optional_and_plain(self): return self.shade == self.color

@case(lambda colors_0, colors_1, colors_2: 0 not in (colors_0, colors_1, colors_2))
def all_of(self): return all(self.colors[i] != Color.RED for i in range(self.size))

@case(lambda cells_0, cells_1, cells_2: cells_0 < cells_1 or cells_1 < cells_2 or cells_0 < cells_2)
def any_of_pairs(self): return any(self.cells[i] < self.cells[j] for i in range(3) for j in range(3) if i < j)

@case(lambda flags_0, flags_1, flags_2, cells_0, cells_1, cells_2:
      all(c == 0 for f, c in ((flags_0, cells_0), (flags_1, cells_1), (flags_2, cells_2)) if f))
def a_filter(self): return all(self.cells[i] == 0 for i in range(3) if self.flags[i])

@case(lambda flags_0, flags_1, flags_2, cells_0, cells_1, cells_2:
      any(c == 1 for f, c in ((flags_0, cells_0), (flags_1, cells_1), (flags_2, cells_2)) if f))
def any_with_a_filter(self): return any([self.cells[i] == 1 for i in range(3) if self.flags[i]])  # noqa: C419  # the spelling under test

@case(lambda flags_0, flags_1, flags_2: flags_0 + flags_1 + flags_2 <= 1)
def a_sum(self): return sum(self.flags[i] for i in range(3)) <= 1

@case(lambda flags_0, flags_1, flags_2, cells_0, cells_1, cells_2:
      sum(c for f, c in ((flags_0, cells_0), (flags_1, cells_1), (flags_2, cells_2)) if f) == 3)
def a_sum_with_a_filter(self): return sum(self.cells[i] for i in range(3) if self.flags[i]) == 3

@case(lambda flags_0, flags_1, flags_2: flags_0 and flags_1 and flags_2)
def all_of_an_array(self): return all(self.flags)

@case(lambda flags_0, flags_1, flags_2: flags_0 or flags_1 or flags_2)
def any_of_an_array(self): return any(self.flags)

@case(lambda x, y, cells_0: min(x, y) <= cells_0 <= max(x, y, 1))
def extremes(self): return min(self.x, self.y) <= self.cells[0] <= max(self.x, self.y, 1)

@case(lambda cells_0, cells_1, cells_2: max(cells_0, cells_1, cells_2) == 2)
def extreme_of_an_array(self): return max(self.cells) == 2

@case(lambda x: abs(x) == 2)
def absolute(self): return abs(self.x) == 2

@case(lambda flag: bool(flag))
def as_bool(self): return bool(self.flag)

@case(lambda x, y: x * y - 2 * x + 1 == y)
def arithmetic(self): return self.x * self.y - 2 * self.x + 1 == self.y

@case(lambda x: x // 2 == -1)
def floor_division(self): return self.x // 2 == -1

@case(lambda x: x % 3 == 1)
def remainder(self): return self.x % 3 == 1

@case(lambda x: -x > 1)
def minus(self): return -self.x > 1

@case(lambda x, cells_0, cells_1, cells_2: [cells_0, cells_1, cells_2][x if 0 <= x <= 2 else 2] == 1)
def dynamic_index(self): return self.cells[self.x] == 1

@case(lambda x, cells_0, cells_2: (cells_0 if x == 3 else cells_2) == 1)
def an_index_mostly_below(self): return self.cells[self.x - 3] == 1

@case(lambda cells_0: cells_0 == 1)
def an_index_from_the_end(self): return (self.cells[0], 2)[-2] == 1

@case(lambda x, y, **g: g[f"grid_{x if 0 <= x <= 1 else 1}__{y if 0 <= y <= 1 else 1}"] == 2)
def dynamic_indexes(self): return self.grid[self.x][self.y] == 2

@case(lambda x, grid_1__0, grid_1__1: (grid_1__1 if x != 0 else grid_1__0) == 2)
def half_dynamic(self): return self.grid[1][self.x] == 2

@case(lambda maybe, cells_0, cells_1, cells_2: [cells_0, cells_1, cells_2][min(maybe, 2)] == 1)
def index_that_may_be_none(self): return self.cells[self.maybe] == 1

@case(lambda x, y: (x if y == 0 else y if y == 1 else 7) == 1)
def index_into_a_tuple(self): return (self.x, self.y, 7)[self.y] == 1

@case(lambda cells_2, cells_0: cells_0 == 1)
def dead_reads(self): return self.cells[0] == 1 and (self.cells[2] == 1 or self.cells[2] != 1)

@case(lambda point_x, point_y: point_x > point_y)
def fields(self): return self.point.x > self.point.y

@case(lambda point_x, point_y, twin_x, twin_y: (point_x, point_y) == (twin_x, twin_y))
def records(self): return self.point == self.twin

@case(lambda point_x, point_y, x: (point_x, point_y) != (1, x))
def a_constructed_record(self): return self.point != Point(1, y=self.x)

@case(lambda point_x, point_y: (point_x, point_y) == (0, 0))
def a_constant_record(self): return self.point == ORIGIN

@case(lambda point_x, point_y: point_x == point_y)
def a_method_of_a_record(self): return self.point.on_diagonal()

@case(lambda flag, point_x, point_y, twin_x, twin_y: (point_x == point_y) if flag else (twin_x == twin_y))
def a_choice_of_records(self): return (self.point if self.flag else self.twin).on_diagonal()

@case(lambda slot_tag: slot_tag == 1)
def a_tag(self): return isinstance(self.slot, Full)

@case(lambda slot_tag, slot_count: slot_tag == 1 and slot_count == 2)
def a_field_of_a_member(self): return isinstance(self.slot, Full) and self.slot.count == 2

@case(lambda slot_tag, slot_color, slot_count: (slot_tag, slot_color, slot_count) == (1, 2, 1))
def a_union(self): return self.slot == Full(Color.BLUE, 1)

@case(lambda slot_tag, slot_color, slot_count: (slot_tag, slot_color, slot_count) != (0, 0, 0))
def an_empty_member(self): return self.slot != Empty()

@case(lambda cells_0: cells_0 > 0)
def a_function(self): return positive(self.cells[0])

@case(lambda x, y: x - y > 2)
def a_function_with_a_default(self): return farther(self.x, self.y, by=THRESHOLD)

@case(lambda x: x >= 2)
def a_method(self): return self.big(self.x)

@case(lambda flag, other: not flag and other)
def a_method_with_a_default(self): return self.both(False)

@case(lambda mutex_owner: mutex_owner == -1)
def a_lock(self): return not any(self.mutex.held_by(t) for t in threads())

@case(lambda mutex_owner: mutex_owner in (0, 1))
def held_by_some(self): return any(self.mutex.held_by(t) for t in threads(self.worker))

@case(lambda locks_0__owner, locks_1__owner: not (locks_0__owner == locks_1__owner != -1))
def no_thread_holds_both(self):
    return not any(self.locks[0].held_by(t) and self.locks[1].held_by(t) for t in threads())

@case(lambda ranged_owner_0, ranged_owner_1: 2 in (ranged_owner_0, ranged_owner_1))
def a_lock_with_options(self): return any(self.ranged.held_by(t) for t in threads(self.boss))

@case(lambda **c: c["sem_writer"] != -1 or c["sem_handed_writer"] or c["sem_handed_readers"] > 0
      or any(c[f"sem_reading_{t}"] for t in range(3)))
def a_semaphore(self): return self.sem.is_locked()

@case(lambda who, mine_0, mine_1, mine_2: (mine_0, mine_1, mine_2)[who])
def indexed_by_thread(self): return self.mine[self.who]

@case(lambda x: x > 1)
def with_names(self):
    """A name, annotated or not."""
    bound = self.size - 2
    value = self.x
    return value > bound

@case(lambda flag, x: not flag or x > 0)
def implication(self): return Implies(self.flag, self.x > 0)

@case(lambda flag, other, x: (flag and x > 0) or not other)
def connectives(self): return Or(And(self.flag, self.x > 0), Not(self.other))

@case(lambda flags_0, flags_1, flags_2: flags_0 and flags_1 and flags_2)
def a_list_of_them(self): return And([self.flags[i] for i in range(3)])

@case(lambda flag, x, y: (x if flag else y) == 2)
def z3_if(self): return If(self.flag, self.x, self.y) == 2

@case(lambda flag, other: flag != other)
def z3_xor(self): return Xor(self.flag, self.other)

@case(lambda flag, x: flag == (x > 0))
def equal_truths(self): return self.flag == (self.x > 0)

@case(lambda x: x == 2)
def a_parameter(self): return self.strict and self.x == self.limit

@case(lambda x: x < 3)
def a_length(self): return self.x < len(self.cells)

@case(lambda: True)
def nothing_at_all(self): return all(self.cells[i] == 1 for i in range(0))
# fmt: on


@pytest.fixture(scope="module")
def zoo() -> Program:
    return built(type("FullZoo", (Zoo,), {f.__name__: invariant(f) for f, _ in CASES}))


@pytest.mark.parametrize(("name", "predicate"), [(f.__name__, p) for f, p in CASES], ids=[f.__name__ for f, _ in CASES])
def test_both_translations_agree_with_python(zoo: Program, name: str, predicate: Callable[..., bool]) -> None:
    report = agrees(zoo, name, lambda **values: predicate(**values) if _fits(predicate, values) else _skip())
    assert report.proved
    assert report.checked is not None
    assert report.checked.covered == report.checked.domain or report.checked.domain > 1 << 14


def _fits(predicate: Callable[..., bool], values: dict[str, int]) -> bool:
    code = predicate.__code__
    names = set(code.co_varnames[: code.co_argcount])
    return bool(code.co_flags & 8) or names == set(values)


def _skip() -> bool:
    raise AssertionError("the evaluator reads other cells than the test expects")


class Steps(Model):
    pages = Param(2)
    x = Var(Range(0, 3))
    block = Array(bool, size=pages)
    index = Var(Range(0, 1))

    @thread(instances=2)
    def reader(self, k):
        self.read(0)
        self.read(1)
        self.x = 0

    @thread(daemon=True)
    def device(self):
        while True:
            self.x = 1

    @operation()
    def read(self, index):
        with window("mapped"):
            self.x = 2
            self.x = 3
        self.x = 1

    @invariant
    def grows(self, after):
        return after.x >= self.x

    @invariant
    def nothing_unmapped(self, after):
        return all(Implies(self.inside("mapped", index=i) and self.block[i], after.block[i]) for i in range(self.pages))

    @invariant
    def leaves(self, after):
        return Implies(self.inside(self.read), after.inside(self.read, index=0) or after.finished(self.reader))

    @invariant
    def rest(self):
        return not self.at_rest() or self.x == 1

    @invariant
    def rest_means_finished(self):
        return Implies(self.at_rest(), self.finished(self.reader))

    @invariant
    def where(self):
        return Implies(self.inside("mapped", index=self.index), self.block[self.index])

    @reachable
    def meets(self):
        return self.inside("mapped", index=0) and self.inside("mapped", index=1) and self.x == 3


def test_a_step_invariant_reads_both_states() -> None:
    program = built(Steps)
    report = property_evaluator(program, prop(program, "grows"))
    assert [(p.name, p.after) for p in report.evaluator.observations] == [("x", False), ("after.x", True)]
    assert all((d is Decision.HOLDS) == (v[1] >= v[0]) for v, d in table(program, report).items())


def test_a_proposition_is_one_probe_for_all_threads() -> None:
    report = judged(Steps, "nothing_unmapped")
    assert report.proved
    names = [p.name for p in report.evaluator.observations]
    assert names == [
        *("block[0]", "block[1]", "after.block[0]", "after.block[1]"),
        *('inside("mapped", index=0)', 'inside("mapped", index=1)'),
    ]


def test_propositions_of_the_state_behind() -> None:
    report = judged(Steps, "leaves")
    assert report.proved
    assert [(p.name, p.after) for p in report.evaluator.observations] == [
        ("inside(read)", False),
        ("after.finished(reader)", True),
        ("after.inside(read, index=0)", True),
    ]


def test_at_rest_leaves_daemons_out() -> None:
    program = built(Steps)
    report = property_evaluator(program, prop(program, "rest"))
    assert [p.name for p in report.evaluator.observations] == ["x", "at_rest()"]
    assert all((d is Decision.HOLDS) == (not v[1] or v[0] == 1) for v, d in table(program, report).items())


def test_the_proof_knows_what_propositions_mean() -> None:
    report = judged(Steps, "rest_means_finished")
    assert report.proved
    assert [f.code for f in report.findings] == ["DIO310"]


def test_an_argument_that_is_not_known() -> None:
    program = built(Steps)
    report = property_evaluator(program, prop(program, "where"))
    assert report.proved
    names = [p.name for p in report.evaluator.observations]
    assert names[:3] == ["block[0]", "block[1]", "index"]


def test_a_reachable_property_holds_where_it_is_true() -> None:
    program = built(Steps)
    report = property_evaluator(program, prop(program, "meets"))
    assert {v for v, d in table(program, report).items() if d is Decision.HOLDS} == {(3, 1, 1)}


def test_constants_of_the_author_do_not_capture_cells() -> None:
    x = z3.Int("x")

    class Capture(Model):
        x = Var(Range(0, 3))

        @thread
        def worker(self):
            self.x = 1

        @invariant
        def small(self):
            return z3.ForAll([x], Implies(And(x >= 0, x <= self.x), x <= 2))

    program = built(Capture)
    report = property_evaluator(program, prop(program, "small"))
    assert table(program, report) == {(n,): Decision.VIOLATED if n == 3 else Decision.HOLDS for n in range(4)}
