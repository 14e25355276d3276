"""The savings of partial order reduction: states, steps and time with persistent sets, and of all
states.

    python benchmarks/partial_order.py models/toys/*.py models/history/*.py "benchmarks/diorace.py pages=2 readers=2"

Each binding of a file's expectations is explored in full, then reduced, by the reference engine;
the violated properties must be the same. Refused programs are counted by reason. The last figure is
the number of steps that lead to known states: the most that sleep sets could save in addition.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from dio_mc.analysis.partial_order.persistent import Refused, find_persistent_sets
from dio_mc.checking.expectations import bindings_of
from dio_mc.engines.reference.engine import explore
from dio_mc.engines.reference.search import Taken
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.search import Budget, Exploration, SearchRequest
from dio_mc.symbolic.evaluator import property_evaluator

MOST = 60_000
"""The number of states after which a search is given up."""


def programs(arguments: Sequence[str]) -> Iterator[Program]:
    """The runs that the arguments name: a file each, with parameters after it."""
    for argument in arguments:
        file, *given = argument.split()
        params = {name: int(value) for name, value in (pair.split("=") for pair in given)}
        for model in load_module(Path(file), allow_empty=True).models:
            for binding, _ in bindings_of(model, params):
                yield build(model, binding).program


def compare(program: Program, evaluators: Sequence[PropertyEvaluator]) -> tuple[Exploration, Exploration] | None:
    """The numbers of states without and with reduction; None if there are too many. Raises
    `Refused`."""
    sets = find_persistent_sets(program, evaluators)
    full = explore(SearchRequest(program, evaluators, Budget(max_states=MOST)))
    if full.stopped is not None:
        return None
    reduced = explore(SearchRequest(program, evaluators), Taken(selection=sets))
    assert [v.property for v in reduced.violations] == [v.property for v in full.violations]
    return full, reduced


def main(arguments: Sequence[str]) -> None:
    """Print a line per run, and the distribution of the savings."""
    shares: list[float] = []
    refused = Counter[str]()
    for program in programs(arguments):
        try:
            found = compare(program, [property_evaluator(program, p).evaluator for p in program.properties])
        except Refused as reason:
            refused[str(reason).partition("` ")[2] or str(reason)] += 1
            continue
        if found is None:
            refused[f"more than {MOST:,} states"] += 1
            continue
        full, reduced = found
        shares.append(reduced.states / full.states)
        repeated = reduced.transitions - reduced.states
        counts = f"{full.states:7,} {reduced.states:7,}  {shares[-1]:4.0%}  {repeated:7,}"
        print(f"{program.name:44} {counts} steps to known")
    for reason, count in refused.most_common():
        print(f"{count:4} not reduced: {reason}")
    if shares:
        print(f"{len(shares)} runs: least {min(shares):.0%}, median {median(shares):.0%} of the states are left")


if __name__ == "__main__":
    main(sys.argv[1:])
