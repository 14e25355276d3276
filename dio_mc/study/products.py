"""The programs of many workloads under the same rules, compiled together.

Two pairs of operations may have one operation in common, and always the threads of the rule itself.
Their programs differ in the names of threads, so all threads are named by number during a search; a
run that is shown belongs to the program as `registry.product` compiles it, which equals
`Product.named`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from dio_mc.frontend.build import build, digest_of
from dio_mc.frontend.shelf import Shelf
from dio_mc.ir.program import Program
from dio_mc.ir.renaming import renamed
from dio_mc.kernel.families import JUDGES
from dio_mc.semantics.remembering import Memories
from dio_mc.study.registry import Rule, Workload, laid_out, product, product_class, product_name, register_of, sizes_of


@dataclass(frozen=True, slots=True)
class Product:
    """A workload under a rule on a file of one `layout`. The user threads of `program` are called
    0, 1, ...; `threads` has their real names, and `name` is the real name of the program. If
    `threads` is empty, the program has its real names."""

    program: Program
    layout: str
    name: str
    threads: tuple[tuple[str, str], ...]

    def named(self) -> Program:
        """The program as `registry.product` returns it."""
        if not self.threads:
            return self.program
        found = renamed(self.program, f"{self.name}@{self.layout}", dict(self.threads))
        return replace(found, digest=digest_of(found))


def products(workload: Workload, rule: Rule, numbers: Mapping[str, int] | None = None) -> tuple[Product, ...]:
    """One product for each layout that both support; `numbers` are the numbers of instances of some
    threads."""
    if numbers:
        found = product(workload, rule, numbers=numbers)
        return tuple(Product(program, layout, program.name, ()) for layout, program in found.items())
    threads = tuple((str(number), name) for number, name in enumerate(workload.threads))
    program = _built(_Numbered(workload), rule)
    _, _, binding = program.name.partition("@")
    name = f"{product_name(workload, rule)}@{binding}" if binding else product_name(workload, rule)
    layouts = [layout for layout in workload.layouts if rule.has(layout)]
    return tuple(Product(laid_out(program, layout, workload.watched), layout, name, threads) for layout in layouts)


class _Numbered:
    """A workload whose threads are called by number; equal to those with the same threads, of the
    same size."""

    def __init__(self, workload: Workload) -> None:
        self.workload = replace(workload, threads={str(n): f for n, f in enumerate(workload.threads.values())})
        sizes = workload.sectors, workload.pages, workload.watched
        self._key = (*workload.threads.values(), workload.name, workload.place, *sizes)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Numbered) and self._key == other._key


@lru_cache(maxsize=4)
def _built(numbered: _Numbered, rule: Rule) -> Program:
    """The program of a workload under a rule, built again if a run has to be shown."""
    workload = numbered.workload
    made = product_class(workload, rule, JUDGES, register_of(workload))
    return build(made, sizes_of(workload, rule), like=_SHELF).program


_MEMORIES: Final = Memories()
_SHELF: Final = Shelf()


def memories() -> Memories:
    """The caches of products, for all rules together."""
    return _MEMORIES
