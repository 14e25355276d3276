"""Orbits without any cleverness: every permutation of every block, one after another, applied cell by cell."""

from collections.abc import Iterator
from itertools import permutations, product

from dio_mc.analysis.symmetry.proof import Symmetry
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import layout_of


def group(symmetry: Symmetry) -> Iterator[list[dict[int, int]]]:
    """Every element, as one mapping per sort."""
    choices = []
    for sort in symmetry.sorts:
        ways = []
        for images in product(*(permutations(block) for block in sort.blocks)):
            mapping = {n: n for n in range(sort.size)}
            for block, image in zip(sort.blocks, images, strict=True):
                mapping |= dict(zip(block, image, strict=True))
            ways.append(mapping)
        choices.append(ways)
    return (list(chosen) for chosen in product(*choices))


def image(program: Program, symmetry: Symmetry, element: list[dict[int, int]], state):
    """A state under an element of the group."""
    layout = layout_of(program)
    moved = list(state)
    position = {(t.template, t.number): p for p, t in enumerate(program.threads)}

    def thread(number):
        found = program.threads[number]
        for sort, mapping in zip(symmetry.sorts, element, strict=True):
            if found.template in sort.templates:
                return position[found.template, mapping[found.number]]
        return number

    def renamed(domain, value):
        if domain is None:
            return value
        if domain == "threads":
            return thread(value) if 0 <= value < len(program.threads) else value
        return element[domain].get(value, value)

    for v, variable in enumerate(program.variables):
        cells = list(product(*map(range, variable.shape)))
        for n, index in enumerate(cells):
            target = tuple(renamed(d, i) for d, i in zip(symmetry.indices[v], index, strict=True))
            value = renamed(symmetry.values[v], state[layout.variable_base[v] + n])
            moved[layout.variable_base[v] + cells.index(target)] = value
    for t, instance in enumerate(program.threads):
        template, to = program.templates[instance.template], thread(t)
        location = state[layout.pc[t]]
        moved[layout.pc[to]] = location
        for i in range(len(template.locals)):
            value = state[layout.local_base[t] + i]
            if i not in template.locations[location].kills:
                value = renamed(symmetry.locals[instance.template][i], value)
            moved[layout.local_base[to] + i] = value
    return tuple(moved)


def reachable(program: Program, most: int = 1_000_000) -> set:
    """The reachable states, or more than `most` of them."""
    interpreter = Interpreter(program)
    found = set(interpreter.initial())
    waiting = list(found)
    while waiting and len(found) <= most:
        for step in interpreter.successors(waiting.pop()):
            if step.state is not None and step.state not in found:
                found.add(step.state)
                waiting.append(step.state)
    return found
