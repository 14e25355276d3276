"""A proof for any number of threads, from the model to what it proves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dio_mc.anynumber.alone import Alone, alone
from dio_mc.anynumber.asked import Asked, numbers_of, slots_of
from dio_mc.anynumber.closure import Check, Checked
from dio_mc.anynumber.conditions import Refused
from dio_mc.anynumber.counting import uses_of_numbers
from dio_mc.anynumber.demands import MOST as VIEW
from dio_mc.anynumber.demands import Demand, covered
from dio_mc.anynumber.nobody import NOBODY, with_nobody
from dio_mc.anynumber.one_page import Naming, of_one_page
from dio_mc.anynumber.one_step import refuse_two_pages
from dio_mc.anynumber.pages import NOWHERE, Elsewhere, Pages, pages_of
from dio_mc.anynumber.places import INSTANCES, Places
from dio_mc.anynumber.steps import Steps, Uncredited
from dio_mc.anynumber.tracked import tracked
from dio_mc.anynumber.triples import Check3, Search3, Triples
from dio_mc.anynumber.unchanging import constants, with_constants
from dio_mc.anynumber.uniform import refuse_unless_alike
from dio_mc.anynumber.views import Search, Views
from dio_mc.errors import Diagnostic, ModelError
from dio_mc.frontend.build import build
from dio_mc.ir.program import Program

if TYPE_CHECKING:
    from dio_mc.lang.model import Model

Enough = Callable[[int], str | None]
"""Is told how many states of the common cells there are, and says why to stop."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A model as it is looked at for a proof: the program with `INSTANCES` of each thread asked for, what is to be
    proved of it, and per property that cannot be judged why not. `pages` are its pages where any number is meant: then
    the program of `places` is the one with one page tracked."""

    program: Program
    places: Places
    finding: Steps
    checking: Steps
    demands: tuple[Demand, ...]
    unfit: tuple[tuple[str, Diagnostic], ...]
    pages: Pages | None = None


def ground(
    model: type[Model], asked: Asked, params: Mapping[str, int], *, credits: bool = True, of: int = VIEW
) -> Ground:
    """Prepare a proof by views `of` so many threads; counts are kept by `credits` where they can be.

    Raises `Refused` with what does not meet the conditions, and `ModelError`.
    """
    program, larger = _programs(model, asked, params)
    used = uses_of_numbers(model, asked, _unchanging(program))
    if used:
        raise Refused((*used, *_refused_too(program, larger, asked, of, credits=credits)))
    first = _as_seen(program, larger, asked, INSTANCES, of)
    second = _as_seen(larger, program, asked, INSTANCES + 1, of)
    places, cut = _cut(first, asked, credits)
    refuse_unless_alike((places, cut), _cut(second, asked, credits))
    finding, checking = Steps(places, cut, remember=True), Steps(places, cut, remember=False)
    demands: list[Demand] = []
    unfit = list(first.unfit)
    for property_ in covered(cut.properties):
        try:
            demands.append(Demand(finding, property_))
        except Refused as refused:
            unfit += [(property_.name, diagnostic) for diagnostic in refused.diagnostics]
    return Ground(program, places, finding, checking, tuple(demands), tuple(unfit), first.pages)


def _refused_too(program: Program, larger: Program, asked: Asked, of: int, *, credits: bool) -> tuple[Diagnostic, ...]:
    """What else does not meet a condition, so that it is told together."""
    try:
        _cut(_as_seen(program, larger, asked, INSTANCES, of), asked, credits)
    except Refused as refused:
        return refused.diagnostics
    return ()


def _unchanging(program: Program) -> frozenset[str]:
    """The names of data that nobody changes, by what the author declared."""
    kept = constants(program)
    whole: dict[str, bool] = {}
    for number, variable in enumerate(program.variables):
        name = str(variable.path[0])
        whole[name] = whole.get(name, True) and number in kept
    return frozenset(name for name, unchanged in whole.items() if unchanged)


def _programs(model: type[Model], asked: Asked, params: Mapping[str, int]) -> tuple[Program, Program]:
    """The program with `INSTANCES` of each thread, and with one more. Raises `Refused` where there is none with so many
    pages."""
    try:
        return _program(model, asked, params, INSTANCES), _program(model, asked, params, INSTANCES + 1)
    except ModelError as error:
        if asked.pages is None:
            raise
        raise Refused(error.diagnostics) from None


def _program(model: type[Model], asked: Asked, params: Mapping[str, int], number: int) -> Program:
    """The program with so many of each thread, and of the slots of each operation; and with one page more."""
    bound = {name: value for name, value in params.items() if name not in asked.counted}
    pages = {} if asked.pages is None else {asked.pages: number + 1}
    return build(model, bound, {**numbers_of(model, asked, number), **slots_of(model, number), **pages}).program


@dataclass(frozen=True, slots=True)
class _Seen:
    """A program as it is looked at, what of it is elsewhere, and per property that cannot be said so why not."""

    program: Program
    elsewhere: Elsewhere = NOWHERE
    unfit: tuple[tuple[str, Diagnostic], ...] = ()
    pages: Pages | None = None


def _as_seen(program: Program, other: Program, asked: Asked, number: int, of: int) -> _Seen:
    """The program with so many of each thread, and one page of it where any number is meant; `other` has another
    number. There are threads enough for a view `of` so many, but for views of two where pages are fixed."""
    if asked.pages is None:
        return _Seen(program if of == VIEW else with_nobody(program, number))
    pages = pages_of(program, other, (number + 1, number + 2 if number == INSTANCES else number))
    refuse_two_pages(program, pages)
    seen, elsewhere = tracked(program, pages)
    properties, unfit = [], []
    naming = Naming(program, pages)
    for property_ in covered(program.properties):
        try:
            properties.append(of_one_page(naming, property_))
        except Refused as refused:
            unfit += [(property_.name, diagnostic) for diagnostic in refused.diagnostics]
    seen = replace(seen, properties=tuple(properties))
    present = {n for n, t in enumerate(seen.templates) if t.spawned or t.name in asked.threads} | pages.crowds
    if len(present) < of:
        seen = with_nobody(seen, number)
    return _Seen(seen, elsewhere, tuple(unfit), pages)


def _cut(seen: _Seen, asked: Asked, credits: bool) -> tuple[Places, Alone]:
    """Whose its cells are, and the program as one thread lives it."""
    crowds = () if seen.pages is None else (seen.program.templates[t].name for t in seen.pages.crowds)
    places = Places(
        with_constants(seen.program, seen.elsewhere.anything), (*asked.threads, *crowds, NOBODY), seen.elsewhere
    )
    return places, alone(places, credits=credits)


def find_views(prepared: Ground, enough: Enough, of: int = VIEW) -> Views | Triples:
    """A set of views that is closed under steps. Raises `views.Stopped`."""
    return Search(prepared.finding, enough).run() if of == VIEW else Search3(prepared.finding, enough).run()


def prepared_views(
    model: type[Model], asked: Asked, params: Mapping[str, int], enough: Enough, of: int = VIEW
) -> tuple[Ground, Views | Triples]:
    """Prepare a proof and find its views; counts become numbers again where credits do not work out. Raises what
    `ground` and `find_views` raise."""
    try:
        prepared = ground(model, asked, params, of=of)
        return prepared, find_views(prepared, enough, of)
    except Uncredited:
        prepared = ground(model, asked, params, credits=False, of=of)
        return prepared, find_views(prepared, enough, of)


def check_views(prepared: Ground, views: Views | Triples, enough: Enough) -> Checked:
    """What a set of views proves. Raises `views.Stopped`."""
    if isinstance(views, Triples):
        return Check3(prepared.checking, views, prepared.demands, enough).run()
    return Check(prepared.checking, views, prepared.demands, enough).run()
