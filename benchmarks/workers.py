"""The gain of a second worker: the search alone, in one process, interleaved: ``python
benchmarks/workers.py``.

All states of the benchmark model at size L (11,805,586) are searched by one worker and by two in
turn, after a first search that is not counted: it gets the memory from the system, which on a
virtual machine takes as long as the search itself. The limit is what two searches side by side
achieve, each with one worker: they share only caches and memory.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from dio_mc.engines.limits import Limits
from dio_mc.engines.native.engine import prepare, search
from dio_mc.frontend import build, load_module
from dio_mc.semantics.search import Budget, SearchRequest
from dio_mc.symbolic.evaluator import property_evaluator

MODEL = Path(__file__).resolve().parent / "diorace.py"
SIZE = {"pages": 2, "readers": 3, "mappers": 3}


def main() -> None:
    """Print the medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each")
    rounds = parser.parse_args().rounds
    program = build(load_module(MODEL).models[0], SIZE).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    request = SearchRequest(program, evaluators)
    prepared = prepare(request)

    def searched(workers: int) -> float:
        found = search(prepared, request, Limits(Budget()), workers)
        assert found.stopped is None
        return found.seconds

    def side_by_side() -> float:
        started = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(searched, (1, 1)))
        return time.perf_counter() - started

    searched(2)
    rounds_taken = [(searched(1), searched(2), side_by_side()) for _ in range(rounds)]
    one, two, both = (median(column) for column in zip(*rounds_taken, strict=True))
    print(f"one worker {one:.2f} s, two {two:.2f} s: {one / two:.2f} times as fast")
    print(f"two searches side by side {both:.2f} s: {2 * one / both:.2f} times as much done")


if __name__ == "__main__":
    main()
