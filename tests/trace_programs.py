"""Programs written by hand for the tests of traces and renderers, and a search for violations in
them."""

from collections import deque
from dataclasses import replace

from dio_mc.ir.expr import TRUE, Compare, Const, Expr, Load, Me, Not
from dio_mc.ir.ops import Assign, Await, Block, Check, Choose, End, Jump, LocalTo, Op, Option, StoreTo
from dio_mc.ir.program import (
    LocalVariable,
    Location,
    Program,
    Property,
    PropertyKind,
    RecordShape,
    ScalarShape,
    Template,
    Thread,
    Variable,
)
from dio_mc.ir.types import BOOL, EnumType, OptionType, RangeType, ThreadIdType, none_value
from dio_mc.ir.verify import verify
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import Action, count_switches, fault_name
from dio_mc.source import Span
from dio_mc.trace.replay import build_trace
from dio_mc.trace.trace import Trace

FILE = "models/race.py"
PAGE = EnumType("Page", ("ABSENT", "CLEAN", "DIRTY"))
ORDER = RangeType(0, 1)
ABSENT, CLEAN, DIRTY = (Const(value, PAGE) for value in range(3))


def at(line: int) -> Span:
    return Span(FILE, line, 5, line, 20)


def location(
    name: str, text: str, line: int, block: int, anchor: str | None = None, kills: tuple[int, ...] = ()
) -> Location:
    operations = tuple(part.split("+")[0] for part in name.split("/")[1:])
    anchors = tuple(READ if one == "read" else anchor for one in operations)
    return Location(name, block, text, anchor, operations, kills, at(line), anchors=anchors)


def template(
    name: str,
    bodies: list[tuple[Op, ...]],
    locations: list[Location],
    *,
    locals_: tuple[LocalVariable, ...] = (),
    prefix: tuple[Op, ...] = (),
    daemon: bool = False,
) -> Template:
    """A template with one location per body, in order; a daemon starts again after the last, other
    threads end."""
    blocks = [Block((*prefix,), Jump(1))]
    for number, body in enumerate(bodies, start=1):
        last = number == len(bodies)
        blocks.append(Block(body, (Jump(1) if daemon else End()) if last else Jump(number + 1), number))
    end = Location("end", -1, "end", None, (), ())
    return Template(name, daemon, False, 0, locals_, tuple(blocks), (end, *locations), 0, at(1))


def compare(op: str, left: Expr, right: Expr) -> Compare:
    return Compare(op, left, right)


def prop(name: str, kind: PropertyKind, expr: Expr, line: int = 90, doc: str = "") -> Property:
    return Property(name, kind, expr, doc, at(line), lambda self: None, object)


def program(
    variables: tuple[Variable, ...],
    templates: tuple[Template, ...],
    properties: tuple[Property, ...],
    name: str = "Race",
) -> Program:
    threads = tuple(Thread(t.name, number, 0) for number, t in enumerate(templates))
    root = RecordShape(tuple((v.name, ScalarShape(n)) for n, v in enumerate(variables)))
    made = Program(
        name, (("pages", 2),), variables, root, templates, threads, (), properties, True, FILE, "", "feedc0de00c0ffee"
    )
    verify(made)
    return made


# -- a reader and a writer --------------------------------------------------------------------------

IDS = ThreadIdType(("reader", "writer"))
OWNER = OptionType(IDS)
FREE = Const(none_value(OWNER), OWNER)


def _variables() -> tuple[Variable, ...]:
    return (
        Variable("page", ("page", None), (2,), PAGE, (0, 0)),
        Variable("i_mutex.owner", ("i_mutex", ".owner"), (), OWNER, (-1,), role="lock"),
        Variable("acked", ("acked",), (), BOOL, (0,), ghost=True),
        Variable("order", ("order",), (), ORDER, (0,), any_init=True),
    )


def page(index: int, *, total: bool = False, after: bool = False) -> Load:
    return Load(0, (Const(index, ORDER),), PAGE, total, after)


def owner() -> Load:
    return Load(1, (), OWNER)


def put(index: int, value: Expr) -> Assign:
    return Assign((StoreTo(0, (Const(index, ORDER),), PAGE),), (value,))


GOT = LocalVariable("read.got", PAGE, 0)
LOCK = (Await(compare("==", owner(), FREE)), Assign((StoreTo(1, (), OWNER),), (Me(IDS),)))
UNLOCK = (
    Check(compare("==", owner(), Me(IDS)), "lock_misuse", "unlocked by a non-holder", at(14)),
    Assign((StoreTo(1, (), OWNER),), (FREE,)),
)
GET = (Assign((LocalTo(0, "read.got", PAGE),), (page(0),)),)
PICK = (Choose(StoreTo(0, (Const(1, ORDER),), PAGE), (Option(CLEAN), Option(DIRTY))),)
ACK = (put(0, DIRTY), Assign((StoreTo(2, (), BOOL),), (TRUE,)))
READ = "fs/direct-io.c:__blockdev_direct_IO"


def reader(unlock: tuple[Op, ...] = UNLOCK) -> Template:
    return template(
        "reader",
        [LOCK, GET, unlock, PICK],
        [
            location("reader+1/read+1", "self.i_mutex.lock()", 12, 1, READ),
            location("reader+1/read+2/get_block+1", "got = self.page[0]", 21, 2, "fs/ext3/inode.c:ext3_get_block"),
            location("reader+1/read+3", "self.i_mutex.unlock()", 14, 3, READ),
            location("reader+2", "self.page[1] = choose(Page.CLEAN, Page.DIRTY)", 32, 4, None, (0,)),
        ],
        locals_=(GOT,),
    )


def writer() -> Template:
    return template(
        "writer",
        [ACK, (Await(compare("==", page(1), DIRTY)), put(0, ABSENT))],
        [
            location("writer+2/store+1", "self.page[0] = Page.DIRTY; self.acked = True", 41, 1, None),
            location("writer+3", "wait_until(self.page[1] == Page.DIRTY); self.page[0] = Page.ABSENT", 37, 2),
        ],
        daemon=True,
    )


def race(*, unlock: tuple[Op, ...] = UNLOCK) -> Program:
    properties = (
        prop("never_dirty", "invariant", compare("!=", page(1, total=True), DIRTY), 91, "Page 1 stays clean.\n\nMore."),
        prop(
            "no_undo",
            "step",
            Not(compare("<", page(0, total=True, after=True), page(0, total=True))),
            95,
        ),
        prop("read_done", "reachable", compare("==", page(1, total=True), CLEAN), 99),
    )
    return program(_variables(), (reader(unlock), writer()), properties)


# -- a deadlock, faults -----------------------------------------------------------------------------


def abba() -> Program:
    """Two threads take two locks in opposite order; a daemon waits forever."""
    ids = ThreadIdType(("left", "right", "idle"))
    type_ = OptionType(ids)
    free = Const(none_value(type_), type_)

    def take(lock: int) -> tuple[Op, ...]:
        taken = Await(compare("==", Load(lock, (), type_), free))
        return (taken, Assign((StoreTo(lock, (), type_),), (Me(ids),)))

    def thread(name: str, locks: tuple[int, int], line: int) -> Template:
        drop = Assign(tuple(StoreTo(lock, (), type_) for lock in locks), (free, free))
        texts = [f"self.{'ab'[lock]}.lock()" for lock in locks] + ["self.a.unlock(); self.b.unlock()"]
        places = [location(f"{name}+{n}", text, line + n, n, None) for n, text in enumerate(texts, start=1)]
        return template(name, [*(take(lock) for lock in locks), (drop,)], places)

    forever = template("idle", [(Await(Not(TRUE)),)], [location("idle+1", "wait_until(False)", 30, 1)], daemon=True)
    variables = tuple(Variable(f"{n}.owner", (n, ".owner"), (), type_, (-1,), role="lock") for n in "ab")
    return program(variables, (thread("left", (0, 1), 10), thread("right", (1, 0), 20), forever), (), "Abba")


def misuse() -> Program:
    """The reader releases a lock that it has released already."""
    return race(unlock=(Assign((StoreTo(1, (), OWNER),), (FREE,)), *UNLOCK))


def bad_start() -> Program:
    """The local prefix of a thread faults if `order` is 1."""
    broken = Check(compare("==", Load(3, (), ORDER), Const(0, ORDER)), "assertion", "order must be 0", at(7))
    first = reader()
    prefixed = replace(first, blocks=(Block((broken,), Jump(1)), *first.blocks[1:]))
    return program(_variables(), (prefixed, writer()), ())


# -- violations, found the plain way ----------------------------------------------------------------


def find(program_: Program, name: str) -> Violation:
    """The first violation of a property by breadth first search (not by context switches)."""
    semantics = Interpreter(program_)
    for position, fault in semantics.initial_faults:
        if fault_name(fault.kind, fault.span, program_.file) == name:
            return Violation(name, position, (), 0, fault)
    property_ = next((p for p in program_.properties if p.name == name), None)
    todo = deque((state, number, ()) for number, state in enumerate(semantics.initial()))
    seen = {state for state, _, _ in todo}
    while todo:
        state, number, path = todo.popleft()
        steps = semantics.successors(state)
        if property_ is not None and property_.kind != "step" and property_.expr is not None:
            value = bool(semantics.evaluate(property_.expr, state))
            if value is (property_.kind == "reachable"):
                return _violation(name, number, path)
        standing = [state[pc] for n, pc in enumerate(semantics.layout.pc) if not program_.template_of(n).daemon]
        if name == "deadlock" and not steps and any(standing):
            return _violation(name, number, path)
        for step in steps:
            further = (*path, step.action)
            if step.state is None:
                assert step.fault is not None
                if fault_name(step.fault.kind, step.fault.span, program_.file) == name:
                    return replace(_violation(name, number, further), fault=step.fault)
                continue
            stepwise = property_ is not None and property_.kind == "step" and property_.expr
            if stepwise and not semantics.evaluate(stepwise, state, step.state):
                return _violation(name, number, further)
            if step.state not in seen:
                seen.add(step.state)
                todo.append((step.state, number, further))
    raise AssertionError(f"{name} is not violated")


def _violation(name: str, initial: int, schedule: tuple[Action, ...]) -> Violation:
    return Violation(name, initial, schedule, count_switches(schedule))


def trace_of(program_: Program, name: str, engine: str = "reference") -> Trace:
    return build_trace(program_, find(program_, name), engine=engine)
