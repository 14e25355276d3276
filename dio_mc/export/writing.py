"""What the writers of all targets share: names that every target takes, comments, terms with the words of a target."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dio_mc.export.commands import Command, commands_of, property_term
from dio_mc.export.terms import Apply, Operator, Read, Term, conj, reads
from dio_mc.ir.program import Program, Property
from dio_mc.ir.types import EnumType, OptionType, ScalarType, bounds, show_value
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import layout_of

MOST_STARTS: Final = 1000
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the state: its name in the target, the author's name, its type, how its values are written."""

    name: str
    shown: str
    type: ScalarType
    values: Mapping[int, str]

    @property
    def bounds(self) -> tuple[int, int]:
        """Lowest and highest value."""
        return bounds(self.type)


@dataclass(frozen=True, slots=True)
class Step:
    """A command with what a reader wants to know of it."""

    command: Command
    name: str
    comment: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A program, ready to be written down: everything but the syntax.

    `constants` are named values (locations, enum members); `starts` the initial states; `invariants` and `witnesses`
    terms by property; `steps_checked` per step property the function from a command to its term; `left_out` what the
    target will not say, in words; `finished` holds where every thread that is no daemon has ended.
    """

    title: str
    cells: tuple[Cell, ...]
    constants: Mapping[str, int]
    starts: tuple[tuple[int, ...], ...]
    steps: tuple[Step, ...]
    invariants: Mapping[str, Term]
    witnesses: Mapping[str, Term]
    step_properties: Mapping[str, Property]
    left_out: tuple[str, ...]
    finished: Term
    check_deadlock: bool
    program: Program

    def on_step(self, name: str, command: Command) -> Term:
        """A step property over one command's step."""
        expr = self.step_properties[name].expr
        assert expr is not None
        return property_term(self.program, expr, dict(command.updates))


def sheet_of(program: Program, reserved: frozenset[str]) -> Sheet:
    """Make a program ready. Raises `ModelError` where a step is no guarded command."""
    namer = _Namer(reserved)
    layout = layout_of(program)
    constants: dict[str, int] = {}
    cells: list[Cell] = []
    for number, (shown, type_) in enumerate(zip(layout.names, layout.types, strict=True)):
        name = namer.fresh(shown)
        if number in layout.pc:
            values = _locations(program, layout.pc.index(number), namer, constants)
        else:
            values = _members(type_, namer, constants)
        cells.append(Cell(name, shown, type_, values))
    starts = tuple(state for state, _ in zip(Interpreter(program).starting(), range(MOST_STARTS + 1), strict=False))
    invariants, witnesses, on_steps, left_out = _properties(program)
    if len(starts) > MOST_STARTS:
        starts = starts[:MOST_STARTS]
        left_out.append(f"initial states behind the first {MOST_STARTS}")
    running = [(thread, pc) for thread, pc in enumerate(layout.pc) if not program.template_of(thread).daemon]
    return Sheet(
        program.name, tuple(cells), constants, starts, tuple(_steps(program)), invariants, witnesses, on_steps,
        tuple(left_out), conj([Apply("==", (Read(pc), 0)) for _, pc in running]), program.check_deadlock, program,
    )  # fmt: skip


def _properties(
    program: Program,
) -> tuple[dict[str, Term], dict[str, Term], dict[str, Property], list[str]]:
    invariants: dict[str, Term] = {}
    witnesses: dict[str, Term] = {}
    on_steps: dict[str, Property] = {}
    left_out: list[str] = []
    for one in program.properties:
        match one.kind:
            case _ if one.expr is None:
                left_out.append(f"{one.name}: only z3 can say it")
            case "invariant":
                invariants[one.name] = property_term(program, one.expr)
            case "reachable":
                witnesses[one.name] = property_term(program, one.expr)
            case "step":
                on_steps[one.name] = one
            case _:
                left_out.append(f"{one.name}: it speaks of runs, not of states")
    return invariants, witnesses, on_steps, left_out


def _locations(program: Program, thread: int, namer: _Namer, constants: dict[str, int]) -> dict[int, str]:
    template = program.template_of(thread)
    values: dict[int, str] = {}
    for number in range(len(template.locations)):
        key = f"{template.name}.L{number}" if number else "ended"
        name = namer.same(("at", key), "At_" + key if number else "Ended")
        constants[name] = number
        values[number] = name
    return values


def _members(type_: ScalarType, namer: _Namer, constants: dict[str, int]) -> dict[int, str]:
    inner = type_.element if isinstance(type_, OptionType) else type_
    if not isinstance(inner, EnumType):
        return {}
    low, high = bounds(type_)
    values: dict[int, str] = {}
    for value in range(low, high + 1):
        word = f"{inner.name}_{show_value(type_, value)}"
        values[value] = namer.same((inner, value), word)
        constants[values[value]] = value
    return values


def _steps(program: Program) -> list[Step]:
    steps: list[Step] = []
    counts: dict[tuple[int, int], int] = {}
    for command in commands_of(program):
        location = program.template_of(command.thread).locations[command.location]
        key = command.thread, command.location
        counts[key] = counts.get(key, 0) + 1
        thread = program.threads[command.thread].name
        calls = f" {location.operations[-1]}()" if location.operations else ""
        anchor = f" [{location.anchor}]" if location.anchor else ""
        name = "_".join(_WORDS.findall(f"{thread} L{command.location} {counts[key]}"))
        steps.append(Step(command, name, plain(f"{thread}:{calls} {location.text}{anchor}")))
    return steps


def plain(text: str) -> str:
    """Text that ends no comment of any target."""
    flat = " ".join(text.split()).encode("ascii", "replace").decode("ascii")
    return flat.replace("*/", "* /").replace("/*", "/ *").replace("*)", "* )").replace("(*", "( *")


class _Namer:
    def __init__(self, reserved: frozenset[str]) -> None:
        self._taken = set(reserved)
        self._known: dict[object, str] = {}

    def fresh(self, text: str) -> str:
        """A name that nothing else has."""
        base = "_".join(_WORDS.findall(text)) or "cell"
        base = base if base[0].isalpha() else f"c_{base}"
        name, number = base, 2
        while name in self._taken or name.lower() in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken |= {name, name.lower()}
        return name

    def same(self, key: object, text: str) -> str:
        """The name of something that is named more than once."""
        if key not in self._known:
            self._known[key] = self.fresh(text)
        return self._known[key]


@dataclass(frozen=True, slots=True)
class Words:
    """How a target writes terms. `select` takes condition, then, else; `modulo` and `divided` the operands and the
    lowest value of the left one."""

    operators: Mapping[Operator, str]
    select: Callable[[str, str, str], str]
    divided: Callable[[str, str, Operator], str]
    truth: Mapping[int, str]
    is_true: str
    """What makes a condition of a cell that is 0 or 1."""


_CONDITIONS: Final = frozenset({"and", "or", "not", "==", "!=", "<", "<=", ">", ">="})


def condition(term: Term, cells: Sequence[Cell], words: Words) -> str:
    """A term as a condition of the target."""
    match term:
        case int():
            return words.truth[1 if term else 0]
        case Apply("and" | "or" as op, operands):
            return f" {words.operators[op]} ".join(_grouped(one, cells, words) for one in operands)
        case Apply("not", (operand,)):
            return f"{words.operators['not']}({condition(operand, cells, words)})"
        case Apply("==" | "!=" | "<" | "<=" | ">" | ">=" as op, (left, right)):
            named = cells[left.cell].values if isinstance(left, Read) else {}
            shown = named.get(right, number(right)) if isinstance(right, int) else value(right, cells, words)
            return f"{value(left, cells, words)} {words.operators[op]} {shown}"
        case Apply("ite", (test, then, orelse)):
            parts = conj([test, then]), conj([Apply("not", (test,)), orelse])
            return " {} ".format(words.operators["or"]).join(f"({condition(part, cells, words)})" for part in parts)
        case _:
            return f"{value(term, cells, words)} {words.is_true}"


def _grouped(term: Term, cells: Sequence[Cell], words: Words) -> str:
    text = condition(term, cells, words)
    return f"({text})" if isinstance(term, Apply) and term.operator in ("and", "or", "ite") else text


def value(term: Term, cells: Sequence[Cell], words: Words) -> str:
    """A term as a number of the target."""
    match term:
        case int():
            return number(term)
        case Read(cell):
            return cells[cell].name
        case Apply("ite", (test, then, orelse)):
            return words.select(
                condition(test, cells, words), value(then, cells, words), value(orelse, cells, words)
            )  # fmt: skip
        case Apply(op, _) if op in _CONDITIONS:
            return words.select(condition(term, cells, words), "1", "0")
        case Apply("//" | "%" as op, (left, right)):
            return words.divided(value(left, cells, words), value(right, cells, words), op)
        case Apply(op, (left, right)):
            return f"({value(left, cells, words)} {words.operators[op]} {value(right, cells, words)})"
        case _:
            raise AssertionError(f"no value: {term}")


def number(value_: int) -> str:
    """A number; a negative one in parentheses."""
    return str(value_) if value_ >= 0 else f"({value_})"


def assigned(cell: Cell, term: Term, cells: Sequence[Cell], words: Words) -> str:
    """What a cell is assigned, with the names of its values."""
    if isinstance(term, int):
        return cell.values.get(term, number(term))
    return value(term, cells, words)


def in_sequence(updates: Sequence[tuple[int, Term]]) -> tuple[list[tuple[int, Term]], list[tuple[int, Term]]]:
    """A parallel assignment as one after the other: first those whose values must be kept aside, then an order in which
    no cell is read after it was written."""
    waiting, ordered, aside = dict(updates), list[tuple[int, Term]](), list[tuple[int, Term]]()
    while waiting:
        free = [c for c in waiting if not any(c in reads(term) for other, term in waiting.items() if other != c)]
        if free:
            ordered.append((free[0], waiting.pop(free[0])))
        else:
            cell = next(iter(waiting))
            aside.append((cell, waiting.pop(cell)))
    return aside, ordered
