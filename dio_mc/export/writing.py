"""What the writers of all targets share: a program with names that are valid in every target, and comments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.export.commands import Command, commands_of
from dio_mc.export.syntax import NUMBERS, Cell, assigned
from dio_mc.export.terms import Apply, Read, Term, conj
from dio_mc.export.values import property_term
from dio_mc.ir.program import Program, Property
from dio_mc.ir.types import EnumType, OptionType, ScalarType, bounds, show_value
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import layout_of

MOST_STARTS: Final = 1_000
"""The largest number of initial states that a file lists."""
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Step:
    """A command with its name and comment."""

    command: Command
    name: str
    comment: str


@dataclass(frozen=True, slots=True)
class PreparedProgram:
    """A program, ready to be written in the syntax of a target.

    `groups` are the shared cells and the cells of each thread, by name; `constants` are named values (locations,
    members of enums); `starts` are the initial states; `invariants` and `witnesses` are terms by property;
    `step_properties` are evaluated per command by `on_step`; `left_out` lists, in words, what the target cannot
    express; `finished` holds if every thread that is not a daemon has ended.
    """

    title: str
    cells: tuple[Cell, ...]
    groups: Mapping[str, frozenset[int]]
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

    @property
    def variables(self) -> list[tuple[int, Cell]]:
        """The cells that can have more than one value, by number; the others are constants everywhere."""
        return [(number, cell) for number, cell in enumerate(self.cells) if cell.bounds[0] < cell.bounds[1]]

    @property
    def file(self) -> str:
        """The file's name without extension: the class, without parameters."""
        return "".join(c for c in self.program.name.partition("@")[0] if c.isalnum() or c == "_")

    def first(self, start: tuple[int, ...]) -> list[tuple[Cell, str]]:
        """An initial state, with values in the target's spelling."""
        return [(cell, assigned(cell, start[n], self.cells, NUMBERS)) for n, cell in self.variables]

    def on_step(self, name: str, command: Command) -> Term:
        """A step property evaluated on one command's step."""
        expr = self.step_properties[name].expr
        assert expr is not None
        return property_term(self.program, expr, dict(command.updates))


def prepare(program: Program, reserved: frozenset[str]) -> PreparedProgram:
    """Prepare a program. Raises `ModelError` (DIO241) if a step cannot be expressed as guarded commands, or a thread
    fails before its first step."""
    starts = _starts(program)
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
    invariants, witnesses, on_steps, left_out = _properties(program)
    threads = [t for t in range(len(program.threads)) if not program.template_of(t).daemon]
    running = [layout.pc[t] for t in threads if len(program.template_of(t).locations) > 1]
    ended = conj([Apply("==", (Read(pc), 0)) for pc in running])
    return PreparedProgram(
        program.name, tuple(cells), _groups(program, namer), constants, starts, tuple(_steps(program, namer)),
        invariants, witnesses, on_steps, tuple(left_out), ended, program.check_deadlock, program,
    )  # fmt: skip


def _groups(program: Program, namer: _Namer) -> dict[str, frozenset[int]]:
    layout, groups = layout_of(program), dict[str, frozenset[int]]()
    rest = frozenset(range(len(layout.names)))
    for thread, (pc, base) in enumerate(zip(layout.pc, layout.local_base, strict=True)):
        own = frozenset({pc, *range(base, base + len(program.template_of(thread).locals))})
        groups[namer.fresh(f"vars of {program.threads[thread].name}")] = own
        rest -= own
    return {namer.fresh("vars shared"): rest, **groups}


def _starts(program: Program) -> tuple[tuple[int, ...], ...]:
    """The initial states. Raises `ModelError` if there are too many to list, or if a local prefix faults, which no step
    of the target could show."""
    interpreter = Interpreter(program)
    starts = tuple(islice(interpreter.starting(), MOST_STARTS + 1))
    if len(starts) > MOST_STARTS:
        span = next((v.span for v in program.variables if v.any_init), None)
        message = f"this model has more than {MOST_STARTS:,} initial states: it cannot be exported"
        hint = "give more variables a first value of their own"
        raise ModelError((Diagnostic("DIO241", message, span, hint=hint),))
    if interpreter.initial_faults:
        fault = interpreter.initial_faults[0][1]
        message = f"a thread fails before its first step ({fault.kind}): it cannot be exported"
        hint = "`dio-mc check` shows what fails"
        raise ModelError((Diagnostic("DIO241", message, fault.span, hint=hint),))
    return starts


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
                left_out.append(f"{one.name}: only z3 can express it")
            case "invariant":
                invariants[one.name] = property_term(program, one.expr)
            case "reachable":
                witnesses[one.name] = property_term(program, one.expr)
            case "step":
                on_steps[one.name] = one
            case _:
                left_out.append(f"{one.name}: it is about runs, not states")
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


def _steps(program: Program, namer: _Namer) -> list[Step]:
    steps: list[Step] = []
    counts: dict[tuple[int, int], int] = {}
    for command in commands_of(program):
        location = program.template_of(command.thread).locations[command.location]
        key = command.thread, command.location
        counts[key] = counts.get(key, 0) + 1
        thread = program.threads[command.thread].name
        calls = f" {location.operations[-1]}()" if location.operations else ""
        anchor = f" [{location.anchor}]" if location.anchor else ""
        name = namer.fresh(f"{thread} L{command.location} {counts[key]}")
        steps.append(Step(command, name, plain(f"{thread}:{calls} {location.text}{anchor}")))
    return steps


def plain(text: str) -> str:
    """Text that cannot end a comment in any target."""
    flat = " ".join(text.split()).encode("ascii", "replace").decode("ascii")
    return flat.replace("*/", "* /").replace("/*", "/ *").replace("*)", "* )").replace("(*", "( *")


def quoted(text: str) -> str:
    """Text for double quotes in any target."""
    return plain(text).replace('"', "'").replace("\\", "/").replace("%", "%%")


class _Namer:
    def __init__(self, reserved: frozenset[str]) -> None:
        self._taken = set(reserved)
        self._known: dict[object, str] = {}

    def fresh(self, text: str) -> str:
        """A name that is not used yet."""
        base = "_".join(_WORDS.findall(text)) or "cell"
        base = base if base[0].isalpha() else f"c_{base}"
        name, number = base, 2
        while name in self._taken or name.lower() in self._taken:
            name, number = f"{base}_{number}", number + 1
        self._taken |= {name, name.lower()}
        return name

    def same(self, key: object, text: str) -> str:
        """The name of `key`, the same each time."""
        if key not in self._known:
            self._known[key] = self.fresh(text)
        return self._known[key]
