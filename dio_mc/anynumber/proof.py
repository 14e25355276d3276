"""A proof for any number of threads, from the model to what it proves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dio_mc.anynumber.alone import Alone, alone
from dio_mc.anynumber.asked import Asked, numbers_of, slots_of
from dio_mc.anynumber.closure import Check, Checked
from dio_mc.anynumber.conditions import Refused
from dio_mc.anynumber.counting import uses_of_numbers
from dio_mc.anynumber.demands import Demand, covered
from dio_mc.anynumber.places import INSTANCES, Places
from dio_mc.anynumber.steps import Steps, Uncredited
from dio_mc.anynumber.unchanging import constants, with_constants
from dio_mc.anynumber.uniform import refuse_unless_alike
from dio_mc.anynumber.views import Search, Views
from dio_mc.errors import Diagnostic
from dio_mc.frontend.build import build
from dio_mc.ir.program import Program

if TYPE_CHECKING:
    from dio_mc.lang.model import Model

Enough = Callable[[int], str | None]
"""Is told how many states of the common cells there are, and says why to stop."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A model as it is looked at for a proof: the program with `INSTANCES` of each thread asked for, what is to be
    proved of it, and per property that cannot be judged why not."""

    program: Program
    places: Places
    finding: Steps
    checking: Steps
    demands: tuple[Demand, ...]
    unfit: tuple[tuple[str, Diagnostic], ...]


def ground(model: type[Model], asked: Asked, params: Mapping[str, int], *, credits: bool = True) -> Ground:
    """Prepare a proof; counts are kept by `credits` where they can be. Raises `Refused` with what does not meet the
    conditions, and `ModelError`."""
    program = _program(model, asked, params, INSTANCES)
    used = uses_of_numbers(model, asked, _unchanging(program))
    if used:
        raise Refused(used)
    places, cut = _cut(program, asked, credits)
    refuse_unless_alike((places, cut), _cut(_program(model, asked, params, INSTANCES + 1), asked, credits))
    finding, checking = Steps(places, cut, remember=True), Steps(places, cut, remember=False)
    demands: list[Demand] = []
    unfit: list[tuple[str, Diagnostic]] = []
    for property_ in covered(cut.properties):
        try:
            demands.append(Demand(finding, property_))
        except Refused as refused:
            unfit += [(property_.name, diagnostic) for diagnostic in refused.diagnostics]
    return Ground(places.program, places, finding, checking, tuple(demands), tuple(unfit))


def _unchanging(program: Program) -> frozenset[str]:
    """The names of data that nobody changes, by what the author declared."""
    kept = constants(program)
    whole: dict[str, bool] = {}
    for number, variable in enumerate(program.variables):
        name = str(variable.path[0])
        whole[name] = whole.get(name, True) and number in kept
    return frozenset(name for name, unchanged in whole.items() if unchanged)


def _program(model: type[Model], asked: Asked, params: Mapping[str, int], number: int) -> Program:
    """The program with so many of each thread, and of the slots of each operation."""
    bound = {name: value for name, value in params.items() if name not in asked.numbers}
    return build(model, bound, {**numbers_of(model, asked, number), **slots_of(model, number)}).program


def _cut(program: Program, asked: Asked, credits: bool) -> tuple[Places, Alone]:
    """Whose its cells are, and the program as one thread lives it."""
    places = Places(with_constants(program), asked.threads)
    return places, alone(places, credits=credits)


def find_views(prepared: Ground, enough: Enough) -> Views:
    """A set of views that is closed under steps. Raises `views.Stopped`."""
    return Search(prepared.finding, enough).run()


def prepared_views(model: type[Model], asked: Asked, params: Mapping[str, int], enough: Enough) -> tuple[Ground, Views]:
    """Prepare a proof and find its views; counts become numbers again where credits do not work out. Raises what
    `ground` and `find_views` raise."""
    try:
        prepared = ground(model, asked, params)
        return prepared, find_views(prepared, enough)
    except Uncredited:
        prepared = ground(model, asked, params, credits=False)
        return prepared, find_views(prepared, enough)


def check_views(prepared: Ground, views: Views, enough: Enough) -> Checked:
    """What a set of views proves. Raises `views.Stopped`."""
    return Check(prepared.checking, views, prepared.demands, enough).run()
