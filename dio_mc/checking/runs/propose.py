"""A property for a mutant that survived: found in the reachable states of both programs, and
checked before it is printed.

The candidates are the smallest conditions that one program reaches and the other never does. Each
is written as source, added to the model and to the mutant, and checked like any property, with
every binding: the model must hold, and the mutant must violate that property with one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, Final

from dio_mc.checking.driver import Options, check_class
from dio_mc.checking.results import Failure
from dio_mc.checking.runs.execute import fault_of
from dio_mc.checking.runs.plan import Task, failure_of
from dio_mc.engines.limits import Limits
from dio_mc.errors import DioError, ModelError
from dio_mc.frontend.load import load_module
from dio_mc.guard import Ended, Guard, stop_of
from dio_mc.lang.model import Model
from dio_mc.mutation.columns import Column, enums_of
from dio_mc.mutation.distinguishing import LARGEST, Condition, distinguishing
from dio_mc.mutation.proposals import Kind, Proposal, invariants, is_special, proposal, with_properties, witnesses
from dio_mc.mutation.tables import Tables, tables_of

MOST: Final = 20_000
"""The number of states of a program that are searched for candidates."""
TRIED: Final = 6
"""The largest number of candidates of a kind that are checked."""
SEEN: Final = 400
"""The number of conditions of a size that are compared to find these."""
LONGEST: Final = 10 * MOST
"""The largest number of states of a check of a candidate, if the user sets no limit."""
SAME: Final = "the same states, in another order: no property of single states can tell them apart"
LOCKS: Final = "only locks differ: no property of variables, threads and operations can tell them apart"
LARGE: Final = f"more than {MOST:,} states: no property was searched for"
NONE: Final = f"no property of up to {LARGEST} conditions catches it"
NAME: Final = "proposed"


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that holds with all of these bindings; every task has its recipe."""

    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A property that catches a survivor; without one, `why` gives the reason. `failure` is a fault
    of dio-mc."""

    proposal: Proposal | None
    why: str = ""
    failure: Failure | None = None


class Proposing:
    """The search for survivors, as a `Work` of the pool."""

    def here(self, task: Survivor, options: Options) -> Proposed:
        """Search in this process."""
        limits = Limits(options.budget, options.stop)
        try:
            with Guard(limits.exceeded):
                return proposed(task, options)
        except (Ended, MemoryError) as ended:
            return Proposed(None, f"no property was found: stopped by {stop_of(ended)}")
        except Exception as error:
            first = task.tasks[0]
            return Proposed(None, failure=fault_of(error, first.file, first.model.__name__))

    def message(self, task: Survivor) -> Any:
        """What a worker needs: it loads the model itself."""
        first = task.tasks[0]
        return first.file, first.model.__name__, [(t.params, t.recipe) for t in task.tasks]

    def there(self, message: Any, options: Options) -> Proposed:
        """Search in a worker."""
        file, name, bindings = message
        try:
            model = next(m for m in load_module(file).models if m.__name__ == name)
        except DioError as error:
            return Proposed(None, failure_of(error).text.splitlines()[0])
        return self.here(Survivor(tuple(Task(file, model, params, None, r) for params, r in bindings)), options)

    def lost(self, task: Survivor, reason: str) -> Proposed:
        """The result of a search that was not made, or not to the end."""
        return Proposed(None, f"no property was found: stopped by {reason}")


def proposed(survivor: Survivor, options: Options) -> Proposed:
    """The smallest property that catches a survivor; an invariant rather than a witness of the same
    size. Questions about threads and variables are tried first, then also those about operations
    and windows."""
    search = _Search(survivor, options)
    most = min(MOST, options.budget.max_states or MOST)
    found = [tables_of(search.model, search.mutant, task.params, most) for task in survivor.tasks]
    tables = [one for one in found if one is not None]
    for further in (False, True):
        for one in tables:
            for candidate in search.candidates(one, len(one.columns) if further else one.basic):
                if search.catches(candidate):
                    return Proposed(candidate)
    reasons = {_reason(one) for one in found}
    return Proposed(None, next(reason for reason in (NONE, LARGE, LOCKS, SAME) if reason in reasons))


def _reason(tables: Tables | None) -> str:
    """The reason why no property was found in these tables."""
    if tables is None:
        return LARGE
    if tables.model.locks == tables.mutant.locks:
        return SAME
    return LOCKS if tables.model.data == tables.mutant.data else NONE


def _first(conditions: Iterator[Condition], columns: Sequence[Column]) -> Iterator[Condition]:
    """The first that catches; among those of a size, first those about whole arrays, then those
    about variables alone."""
    sizes = (sorted(islice(group, SEEN), key=lambda c: (is_special(c, columns), sum(columns[n].control for n, _ in c)))
             for _, group in groupby(conditions, key=len))  # fmt: skip
    return islice(chain.from_iterable(sizes), TRIED)


class _Search:
    def __init__(self, survivor: Survivor, options: Options) -> None:
        first = survivor.tasks[0]
        assert first.recipe is not None
        self.tasks, self.options = survivor.tasks, options
        self.model, self.mutant = first.model, first.recipe.mutant(first.model)
        self.enums = enums_of(first.model)

    def candidates(self, tables: Tables, count: int) -> Iterator[Proposal]:
        """Invariants and witnesses about the first `count` columns, smaller ones first."""
        model, mutant = tables.rows(count)
        columns = tables.columns
        never, some = _first(distinguishing(mutant, model), columns), _first(distinguishing(model, mutant), columns)
        kinds: tuple[Iterator[tuple[int, Kind, Condition]], ...] = (
            ((len(c), "invariant", c) for c in never), ((len(c), "reachable", c) for c in some)
        )  # fmt: skip
        for _, kind, condition in merge(*kinds, key=itemgetter(0)):
            texts = invariants(condition, columns, model) if kind == "invariant" else witnesses(condition, columns)
            for text in texts:
                yield proposal(kind, text, self.model, self.enums)

    def catches(self, one: Proposal) -> bool:
        """Whether the model with this property holds with every binding, and the mutant violates it with one."""
        name = NAME
        while hasattr(self.model, name):
            name += "_"
        model = with_properties(self.model, {name: one}, self.enums)
        try:
            if not all(self._verdict(model, name, task) == "HOLDS" for task in self.tasks):
                return False
            mutant = self.mutant.of(model)
            return any(self._verdict(mutant, name, task) == "VIOLATED" for task in self.tasks)
        except ModelError:  # the question does not exist in this model with every binding
            return False

    def _verdict(self, model: type[Model], name: str, task: Task) -> str:
        budget = self.options.budget
        options = replace(self.options, budget=replace(budget, max_states=budget.max_states or LONGEST), first=True)
        report = check_class(model, dict(task.params), options)
        return next(p.verdict for p in report.properties if p.name == name)
