"""The shipped rules and workloads: how they are found and composed.

A rule is an abstract model class that sets ``rule = "name"``; a workload is a class that is not a
model and has threads, which make system calls only; an operation is a workload with the threads
`first` and `second`, for pairs. A rule and a workload are composed to a class that derives from
both. It is compiled like any model, since the frontend reads functions and not the class.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any, Final

from dio_mc.errors import did_you_mean, usage_error
from dio_mc.frontend.build import build, digest_of
from dio_mc.frontend.load import load_together
from dio_mc.ir.program import Program
from dio_mc.kernel.families import JUDGES
from dio_mc.kernel.register import VALUES, Stage
from dio_mc.kernel.words import Block, Data
from dio_mc.lang.model import ROLE, Model, ThreadRole
from dio_mc.models import models_folder
from dio_mc.source import display_path
from dio_mc.study.call_at import AT, beginning_at, begins_later, spelled, split
from dio_mc.wording import plural

LAYOUTS: dict[str, tuple[Block, Data]] = {
    "hole": (Block.HOLE, Data.STALE),
    "preallocated": (Block.UNWRITTEN, Data.STALE),
    "written": (Block.MAPPED, Data.OLD),
}
"""The initial state of each page of the file: its block, and the contents of the disk there."""
MIXED: Final[dict[str, tuple[str, str]]] = {
    "written_hole": ("written", "hole"),
    "hole_written": ("hole", "written"),
    "written_preallocated": ("written", "preallocated"),
    "written_end": ("written", "end"),
}
"""Files of several pages that are not alike: the first page, and the pages after it; "end" is the
end of the file."""

END: Final = "end"
MOST_PAGES: Final = 4

SYSTEM_CALLS: Final = frozenset(
    [
        "pread", "pwrite", "pread_direct", "pwrite_direct", "io_submit_pread", "io_submit_pwrite", "io_getevents",
        "mmap_load", "mmap_store", "readahead", "fsync", "msync", "sync_file_range", "truncate", "punch_hole", "fork",
        "store_beside_buffer",
    ]
)  # fmt: skip
"""The calls that a workload may make."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A locking rule. `layouts` are the files it can have, `unsupported` the operations it does not
    support; `kernel` is the version whose functions it names, empty if it was not read in one. It
    supports calls on `most_pages` pages; `fewer` is the reason why not on more. `judged`: its class
    already has the property families of `product_class`."""

    name: str
    since: int
    model: type[Model]
    layouts: tuple[str, ...]
    unsupported: frozenset[str]
    kernel: str = ""
    most_pages: int = MOST_PAGES
    fewer: str = ""
    judged: bool = False

    def has(self, layout: str) -> bool:
        """Whether it can have such a file."""
        return all(part in self.layouts for part in MIXED.get(layout, (layout,)) if part != END)


@dataclass(frozen=True, slots=True)
class Workload:
    """Threads by name, each a function that the frontend compiles; `calls` are the operations of a
    pair. With two `sectors` a page is copied and transferred in halves; with several `pages` a call
    at page i acts on all pages from i on, and `watched` is the page whose register is kept."""

    name: str
    threads: Mapping[str, Callable[..., Any]]
    layouts: tuple[str, ...] = tuple(LAYOUTS)
    calls: tuple[str, ...] = ()
    place: tuple[str, int] = ("", 0)
    sectors: int = 1
    pages: int = 1
    watched: int = 0

    def on(self, sectors: int | None = None, pages: int | None = None) -> Workload:
        """The workload with another size; None keeps a value. A file of one page has no mixed
        layout."""
        size = self.pages if pages is None else pages
        plain = tuple(layout for layout in self.layouts if layout not in MIXED)
        named = tuple(layout for layout in self.layouts if layout in MIXED)
        mixed = named or tuple(layout for layout, (first, _) in MIXED.items() if first in plain)
        return replace(
            self, sectors=self.sectors if sectors is None else sectors, pages=size,
            layouts=self.layouts if size == self.pages else (*plain, *(mixed if size > 1 else ())),
        )  # fmt: skip

    @property
    def is_whole(self) -> bool:
        """Whether every call writes or reads all pages at once: stores through a mapping do not,
        nor do calls that begin at a later page."""
        used = {name for function in self.threads.values() for name in function.__code__.co_names}
        return (
            not any(map(begins_later, self.threads.values()))
            and not used & {"mmap_load", "mmap_store"}
            and used <= SYSTEM_CALLS | {"Data", *Data.__members__}
        )


@dataclass(frozen=True, slots=True)
class Registry:
    """All rules by age, and workloads and operations in the order of their files, by name."""

    rules: Mapping[str, Rule]
    workloads: Mapping[str, Workload]
    operations: Mapping[str, type]


def open_registry(folder: Path | None = None, files: Iterable[Path] = ()) -> Registry:
    """Load all rules and workloads of a folder of models, and of further files; these may import
    the folder's files by name."""
    folder = folder or models_folder()
    rules: dict[str, Rule] = {}
    workloads: dict[str, Workload] = {}
    operations: dict[str, type] = {}
    shipped = [*sorted((folder / "protocols").glob("*.py")), *sorted((folder / "workloads").glob("*.py"))]
    for cls in load_together([*shipped, *files]):
        threads = _threads(cls)
        if issubclass(cls, Model) and "rule" in vars(cls):
            rule = _rule(cls)
            rules[rule.name] = rule
        elif set(threads) == {"first", "second"}:
            operations[snake(cls.__name__)] = cls
        elif threads:
            workload = _workload(cls, threads)
            workloads[workload.name] = workload
    if not rules:
        raise usage_error("DIO202", "no locking rules in this folder", file=str(folder / "protocols"))
    return Registry(dict(sorted(rules.items(), key=lambda pair: pair[1].since)), workloads, operations)


def snake(name: str) -> str:
    """``DirectRead`` is the operation ``direct_read``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _workload(cls: type, threads: Mapping[str, Callable[..., Any]]) -> Workload:
    first = next(iter(threads.values())).__code__
    layouts = tuple(getattr(cls, "layouts", LAYOUTS))
    place = (first.co_filename, first.co_firstlineno)
    made = Workload(snake(cls.__name__), threads, layouts, (), place)
    sized = made.on(getattr(cls, "sectors", 1), getattr(cls, "pages", 1))
    return replace(sized, layouts=layouts) if hasattr(cls, "layouts") else sized


def _rule(cls: Any) -> Rule:
    layouts = tuple(getattr(cls, "layouts", LAYOUTS))
    unsupported = frozenset(getattr(cls, "unsupported", ()))
    most, why = getattr(cls, "most_pages", (MOST_PAGES, ""))
    return Rule(cls.rule, cls.since, cls, layouts, unsupported, vars(cls).get("kernel", ""), most, why)


def _threads(cls: type) -> dict[str, Callable[..., Any]]:
    if issubclass(cls, Model):
        return {}
    return {name: f for name, f in vars(cls).items() if isinstance(getattr(f, ROLE, None), ThreadRole)}


def pick(known: Mapping[str, Any], names: Iterable[str], what: str) -> list[Any]:
    """The named entries, or all; an unknown name is a usage error."""
    chosen = list(names) or list(known)
    for name in chosen:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are: {', '.join(known)}"
            raise usage_error("DIO208", f"no {what} `{name}`", hint=hint)
    return [known[name] for name in chosen]


def pair(registry: Registry, first: str, second: str) -> Workload:
    """Two concurrent operations."""
    return together(registry, (first, second))


def together(registry: Registry, names: Sequence[str], sectors: int = 1, pages: int = 1) -> Workload:
    """Concurrent operations, a thread each; all but the first write NEWER. An operation spelled
    ``direct_write@1`` begins at page 1. Raises `ModelError` (DIO208) for a page that the file does
    not have."""
    parted = [split(name) for name in names]
    classes: list[Any] = pick(registry.operations, [operation for operation, _ in parted], "operation")
    roles = ["first", *["second"] * (len(names) - 1)]
    threads = {
        f"t{number}_{operation}{f'_{page}' if page else ''}": _at(getattr(cls, role), operation, page, pages)
        for number, ((operation, page), cls, role) in enumerate(zip(parted, classes, roles, strict=True))
    }
    code = next(iter(threads.values())).__code__
    place = (code.co_filename, code.co_firstlineno)
    calls = tuple(operation for operation, _ in parted)
    return Workload(" x ".join(spelled(*one) for one in parted), threads, calls=calls, place=place).on(sectors, pages)


def _at(function: Callable[..., Any], operation: str, page: int, pages: int) -> Callable[..., Any]:
    """The function of an operation that begins at `page`, of a file of `pages`."""
    if page == 0:
        return function
    if page >= pages:
        words = (
            f"`{spelled(operation, page)}` begins at page {page}, and the file has {plural(pages, 'page')}, from 0 on"
        )
        more = f"`outcomes` and `diff` take --pages {page + 1}"
        raise usage_error("DIO208", words, hint=more if page < MOST_PAGES else f"it has at most {MOST_PAGES}")
    found = beginning_at(function, page)
    if found is None:
        raise usage_error("DIO208", f"`{operation}` is about the whole file, and begins at no page")
    return found


def pairs(registry: Registry) -> list[Workload]:
    """Every pair of operations, an operation against itself included: the rows of `dio-mc matrix`."""
    return [together(registry, group) for group in combinations_with_replacement(registry.operations, 2)]


def product(
    workload: Workload,
    rule: Rule,
    families: Sequence[type[Model]] = JUDGES,
    numbers: Mapping[str, int] | None = None,
) -> dict[str, Program]:
    """The program of a workload under a rule, by layout of the file. Layouts differ in initial
    values alone. `families` add properties to the rule's own; `numbers` are the numbers of
    instances of threads. Raises `ModelError` (DIO208) if the rule does not support so many
    pages."""
    made = product_class(workload, rule, families, register_of(workload))
    program = build(made, sizes_of(workload, rule), numbers).program
    found = {layout: laid_out(program, layout, workload.watched) for layout in workload.layouts if rule.has(layout)}
    return {layout: replace(one, digest=digest_of(one)) for layout, one in found.items()}


def sizes_of(workload: Workload, rule: Rule) -> dict[str, int]:
    """The parameters of their product. Raises `ModelError` (DIO208) if the rule does not support so
    many pages."""
    if workload.pages > rule.most_pages:
        file = str(getattr(sys.modules.get(rule.model.__module__), "__file__", "") or "")
        words = f"`{rule.name}` knows calls on {plural(rule.most_pages, 'page')}, not on {workload.pages}"
        raise usage_error("DIO208", words, file=display_path(file), hint=rule.fewer)
    return {"sectors": workload.sectors, "pages": workload.pages, "watched": workload.watched}


def product_class(
    workload: Workload, rule: Rule, families: Sequence[type[Model]], further: Mapping[str, Any]
) -> type[Model]:
    """The class of a workload under a rule, with properties of `families` and `further` members."""
    members = {**workload.threads, **further, "__doc__": rule.model.__doc__}
    bases = (rule.model,) if rule.judged else (*families, rule.model)
    made = type(product_name(workload, rule), bases, members)
    made.__dio_place__ = workload.place  # type: ignore[attr-defined]  # `type` hides the class it makes
    return made


def judged(rule: Rule) -> Rule:
    """The rule with a class that has the property families. The two classes share base classes, so
    a change of one of these affects both."""
    model: type[Model] = type(rule.model.__name__, (*JUDGES, rule.model), {"__doc__": rule.model.__doc__})
    model.__dio_place__ = rule.model.__dio_place__
    return replace(rule, model=model, judged=True)


def calls_of(function: Callable[..., Any]) -> set[str]:
    """The system calls that a thread of a workload makes, and all other names in it."""
    return set(function.__code__.co_names) - {"Data", *Data.__members__}


def register_of(workload: Workload) -> dict[str, Any]:
    """What the register need not handle, given the names that the threads use; nothing if some are
    not calls."""
    used = {name for function in workload.threads.values() for name in calls_of(function)}
    if used - SYSTEM_CALLS:
        return {}
    slots = 2 if used & {"io_submit_pread", "io_submit_pwrite"} else 1
    return {"slots": slots, "punches": {"punch_hole", "truncate"} <= used}


def reads_as(layout: str, page: int = 0) -> Data:
    """The initial contents of a page of a file with this layout."""
    part = part_of(layout, page)
    if part == END:
        return Data.EOF
    block, data = LAYOUTS[part]
    return data if block is Block.MAPPED else Data.ZERO


def part_of(layout: str, page: int) -> str:
    """The layout of a page in a file with this layout: a layout of one page, or END."""
    return MIXED.get(layout, (layout, layout))[min(page, 1)]


def product_name(workload: Workload, rule: Rule) -> str:
    """The name of the program of a workload under a rule, without the layout."""
    return f"{re.sub(r'[^a-z0-9]+', '_', workload.name)}__{rule.name}"


def parts_named(registry: Registry, name: str) -> tuple[Workload, Rule, str] | None:
    """The workload, rule and layout in the name of a program
    (``direct_read_x_mmap_store__ext4_2020@hole``, with two sectors ``..._2020@sectors=2@hole``), if
    the registry has them."""
    made, _, binding = name.partition("@")
    named, _, layout = binding.rpartition("@")
    sizes = re.fullmatch(r"(?:pages=(\d))?,?(?:sectors=(\d))?,?(?:watched=(\d))?", named)
    work, _, rule = made.partition("__")
    if rule not in registry.rules or sizes is None:
        return None
    pages, sectors, watched = int(sizes[1] or 1), int(sizes[2] or 1), int(sizes[3] or 0)
    chosen = {product_name(w, registry.rules[rule]): w for w in registry.workloads.values()}
    if made in chosen:
        return replace(chosen[made].on(sectors, pages), watched=watched), registry.rules[rule], layout
    operations = [re.sub(r"_(\d)$", rf"{AT}\1", one) for one in work.split("_x_")]
    known = all(one.partition(AT)[0] in registry.operations for one in operations)
    if len(operations) < 2 or not known:
        return None
    return replace(together(registry, operations, sectors, pages), watched=watched), registry.rules[rule], layout


def program_named(registry: Registry, name: str) -> Program | None:
    """The program of the registry with this name, if there is one."""
    parts = parts_named(registry, name)
    return product(parts[0], parts[1]).get(parts[2]) if parts is not None else None


def laid_out(program: Program, layout: str, watched: int) -> Program:
    """The program of a product on a file of this layout, without a digest, whose register is that
    of page `watched`."""
    sizes = {v.name: v.size for v in program.variables}
    pages = range(sizes["block"])
    parts = [part_of(layout, page) for page in pages]
    laid = [LAYOUTS[part if part != END else "hole"] for part in parts]
    size = sum(part != END for part in parts)
    first = [Stage.SETTLED if value is reads_as(layout, watched) else Stage.GONE for value in VALUES]
    initial = {
        "block": [list(Block).index(block) for block, _ in laid],
        "disk": [list(Data).index(data) for _, data in laid for _ in range(sizes["disk"] // len(pages))],
        "stage": [list(Stage).index(stage) for stage in first] * (sizes["stage"] // len(first)),
        "i_size": [size],
        "i_disksize": [size],
    }
    variables = tuple(replace(v, init=tuple(initial[v.name])) if v.name in initial else v for v in program.variables)
    return replace(program, variables=variables, name=f"{program.name}@{layout}", digest="")
