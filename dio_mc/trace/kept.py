"""The last values of dead locals: the same run, executed without resetting locals.

When a thread arrives at a location, the locals that are dead there are reset to their defaults, so that they cost no
states. Diagrams show the arguments of enclosing calls and the results of tests, which are often dead by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dio_mc.ir.ops import Assign, Choose, LocalTo, successors
from dio_mc.ir.program import Program, Template
from dio_mc.semantics.code import Code
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import Layout, State
from dio_mc.semantics.step import Action

Cells = tuple[tuple[int, int], ...]
"""Cells and their values."""


def kept_states(interpreter: Interpreter, states: Sequence[State], actions: Sequence[Action]) -> tuple[State, ...]:
    """The states of a run, executed without resets of dead locals: a dead local has its last value, or its default.
    Empty if the run begins with a fault."""
    program, layout = interpreter.program, interpreter.layout
    keeping = _Keeping(interpreter)
    wanted = _of_all(program, layout, states[0])
    start = next((one for one in keeping.starting() if _of_all(program, layout, one) == wanted), None)
    if start is None:
        return ()
    found = [start]
    for action in actions:
        step = keeping.step(found[-1], action)
        if step is None or step.state is None:
            break
        found.append(step.state)
    return tuple(found)


def assigned(template: Template, block: int) -> frozenset[int]:
    """The locals that a step from this block may assign."""
    found: set[int] = set()
    seen, ahead = {block}, [block]
    while ahead:
        here = template.blocks[ahead.pop()]
        targets = [t for op in here.ops if isinstance(op, Assign) for t in op.targets]
        targets += [op.target for op in here.ops if isinstance(op, Choose)]
        found |= {target.index for target in targets if isinstance(target, LocalTo)}
        fresh = {number for number in successors(here) if template.blocks[number].location is None} - seen
        seen |= fresh
        ahead += fresh
    return frozenset(found)


class _Keeping(Interpreter):
    """As another interpreter of the same program, whose code it uses, but no dead local is reset."""

    def __init__(self, like: Interpreter) -> None:
        self._like = like
        super().__init__(like.program, like.layout)

    def _compiled(self) -> tuple[Code, ...]:
        pairs = zip(self._like.codes, self._like.layout.pc, strict=True)
        return tuple(replace(code, arrive=tuple(_only(pc, cells) for cells in code.arrive)) for code, pc in pairs)


def _only(pc: int, cells: Cells) -> Cells:
    """What an arrival sets, if that is the location alone."""
    return tuple(one for one in cells if one[0] == pc)


def _of_all(program: Program, layout: Layout, state: State) -> tuple[int, ...]:
    """The shared data, and the location of each thread."""
    return (*state[: sum(variable.size for variable in program.variables)], *(state[pc] for pc in layout.pc))
