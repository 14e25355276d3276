"""Adds threads that have ended from the start, so that every instance has enough threads for a view.

A view consists of two or three threads. With any number of pages, an instance may have a single thread and no thread of
some kinds. So a kind is added whose threads do nothing: any thread forms a view with them, and so do they among
themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dio_mc.analysis.symmetry.domains import THREADS, Domains
from dio_mc.anynumber.naming import is_id
from dio_mc.anynumber.pages import slice_of
from dio_mc.ir.ops import Block, End
from dio_mc.ir.program import Program, Template, Thread, Variable
from dio_mc.ir.types import OptionType, ThreadIdType

NOBODY: Final = "nobody"


def with_nobody(program: Program, number: int) -> Program:
    """The program with `number` additional threads of a new template `NOBODY`, all of which have ended. Arrays indexed
    by threads grow accordingly, and the types of thread ids include the new threads."""
    domains = Domains(program)
    threads = domains.root(THREADS)
    first = program.templates[0]
    ended = replace(first.locations[0], kills=())
    template = Template(NOBODY, True, False, 0, (), (Block((), End()),), (ended,), 0, first.span)
    added = tuple(Thread(f"{NOBODY}[{n}]", len(program.templates), n) for n in range(number))
    names = tuple(thread.name for thread in (*program.threads, *added))
    variables = []
    for v, variable in enumerate(program.variables):
        grown = variable
        for d in range(len(variable.shape)):
            if domains.root(("index", v, d)) == threads and variable.shape[d] == len(program.threads):
                grown = _longer(grown, d, number)
        variables.append(_renamed(grown, names))
    return replace(
        program,
        variables=tuple(variables),
        templates=(*program.templates, template),
        threads=(*program.threads, *added),
    )


def _longer(variable: Variable, dimension: int, number: int) -> Variable:
    """The array with `number` additional elements along a dimension; the new elements are copies of the last one."""
    shape = variable.shape
    inner = 1
    for extent in shape[dimension + 1 :]:
        inner *= extent
    slices = [slice_of(shape, variable.init, dimension, n) for n in range(shape[dimension])]
    slices += [slices[-1]] * number
    outer = len(slices[0]) // inner
    init = tuple(v for o in range(outer) for one in slices for v in one[o * inner : (o + 1) * inner])
    return replace(variable, shape=(*shape[:dimension], len(slices), *shape[dimension + 1 :]), init=init)


def _renamed(variable: Variable, names: tuple[str, ...]) -> Variable:
    """The variable with its type extended to the ids of all threads in `names`, if it holds thread ids."""
    if not is_id(variable.type):
        return variable
    ids = ThreadIdType(names)
    return replace(variable, type=OptionType(ids) if isinstance(variable.type, OptionType) else ids)
