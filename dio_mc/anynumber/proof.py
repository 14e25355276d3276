"""The steps of a proof for any number of threads or pages: preparing the model, finding the views, and checking
them."""

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
"""A callback: receives the number of states of the common cells so far, and returns a reason to stop, or None."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A model prepared for a proof. `program` has `INSTANCES` of each thread in the scope. `finding` and `checking` run
    its steps with and without a cache; `demands` are the properties to prove; `unfit` has, for each property that
    cannot be evaluated on views, its name and the reason. `pages` is set for any number of pages; then the program of
    `places` is the one rewritten for a tracked page."""

    program: Program
    places: Places
    finding: Steps
    checking: Steps
    demands: tuple[Demand, ...]
    unfit: tuple[tuple[str, Diagnostic], ...]
    pages: Pages | None = None


def ground(
    model: type[Model],
    asked: Asked,
    params: Mapping[str, int],
    *,
    credits: bool = True,
    of: int = VIEW,
    reasons: bool = True,
) -> Ground:
    """Prepare a proof by views of `of` threads (2 or 3). `credits` allows counters to be split into credits.

    Raises `Refused` with all unmet conditions, and `ModelError` if the model cannot be built. Without `reasons` some
    unmet conditions are enough, and further ones are not looked for.
    """
    program = _program(model, asked, params, INSTANCES)
    used = uses_of_numbers(model, asked, _unchanging(program))
    if used and not reasons:
        raise Refused(used)
    larger = _program(model, asked, params, INSTANCES + 1)
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
    """The further unmet conditions, so that one run reports all of them."""
    try:
        _cut(_as_seen(program, larger, asked, INSTANCES, of), asked, credits)
    except Refused as refused:
        return refused.diagnostics
    return ()


def _unchanging(program: Program) -> frozenset[str]:
    """The names of declared data that no statement changes."""
    kept = constants(program)
    whole: dict[str, bool] = {}
    for number, variable in enumerate(program.variables):
        name = str(variable.path[0])
        whole[name] = whole.get(name, True) and number in kept
    return frozenset(name for name, unchanged in whole.items() if unchanged)


def _program(model: type[Model], asked: Asked, params: Mapping[str, int], number: int) -> Program:
    """The program with `number` instances of each thread in the scope, `number` slots of each operation and, for any
    number of pages, ``number + 1`` pages. Raises `Refused` if the model cannot be built with as many pages."""
    bound = {name: value for name, value in params.items() if name not in asked.counted}
    pages = {} if asked.pages is None else {asked.pages: number + 1}
    try:
        return build(model, bound, {**numbers_of(model, asked, number), **slots_of(model, number), **pages}).program
    except ModelError as error:
        if asked.pages is None:
            raise
        raise Refused(error.diagnostics) from None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A program prepared for views: rewritten for one page if there is any number of pages (`elsewhere` has what is
    unknown of the others), with the properties that cannot be expressed in it and the reasons."""

    program: Program
    elsewhere: Elsewhere = NOWHERE
    unfit: tuple[tuple[str, Diagnostic], ...] = ()
    pages: Pages | None = None


def _as_seen(program: Program, other: Program, asked: Asked, number: int, of: int) -> _Seen:
    """The program with `number` of each thread, rewritten for one tracked page if there is any number of pages; `other`
    is the same program with another number. Threads that do nothing are added if there may be fewer than `of` threads.
    With a fixed number of pages, views of two need none: the instance with a single thread is explored instead."""
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
    """The assignment of cells to threads, and the program reduced to single threads."""
    crowds = () if seen.pages is None else (seen.program.templates[t].name for t in seen.pages.crowds)
    places = Places(
        with_constants(seen.program, seen.elsewhere.anything), (*asked.threads, *crowds, NOBODY), seen.elsewhere
    )
    return places, alone(places, credits=credits)


def find_views(prepared: Ground, enough: Enough, of: int = VIEW) -> Views | Triples:
    """Find a set of views of `of` threads that has those of the initial states and is closed under steps. Raises
    `views.Stopped`."""
    return Search(prepared.finding, enough).run() if of == VIEW else Search3(prepared.finding, enough).run()


def prepared_views(
    model: type[Model],
    asked: Asked,
    params: Mapping[str, int],
    enough: Enough,
    of: int = VIEW,
    *,
    reasons: bool = True,
) -> tuple[Ground, Views | Triples]:
    """Prepare a proof and find its views. If a counter turns out not to be splittable into credits, both are done again
    without credits. Raises what `ground` and `find_views` raise."""
    try:
        prepared = ground(model, asked, params, of=of, reasons=reasons)
        return prepared, find_views(prepared, enough, of)
    except Uncredited:
        prepared = ground(model, asked, params, credits=False, of=of, reasons=reasons)
        return prepared, find_views(prepared, enough, of)


def check_views(prepared: Ground, views: Views | Triples, enough: Enough) -> Checked:
    """Check the closure of a set of views, and evaluate faults and properties on it. Raises `views.Stopped`."""
    if isinstance(views, Triples):
        return Check3(prepared.checking, views, prepared.demands, enough).run()
    return Check(prepared.checking, views, prepared.demands, enough).run()
