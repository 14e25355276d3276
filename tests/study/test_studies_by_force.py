"""`outcomes`, `matrix`, `--triples` and `diff` against what the guide (docs/rules.md) says that they are.

Every end of every run of a product is looked at here: what the calls returned, what the file has, and one verdict, by the
sentences of the guide. None of `dio_mc.study` is asked but for the product itself; orders of calls are tried one by one
(histories.py) on a log of which call had ended when another began; who can go round forever is decided by networkx.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx
import pytest
from histories import Called, verdict
from register_log import Log

from dio_mc.ir.program import Program
from dio_mc.ir.types import show_value
from dio_mc.kernel.families import JUDGES
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.study.diff import diff
from dio_mc.study.matrix import matrix
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import Registry, open_registry, product, together

OWN = """\
from ext4_2016 import Ext4Of2016

from dio_mc import operation, wait_until
from dio_mc.kernel import Block


class Spins(Ext4Of2016, abstract=True):
    \"\"\"Looks at the map until somebody has filled the hole.\"\"\"

    rule, since = "spins", 2026

    @operation(kernel="fs/direct-io.c:spin")
    def direct_read(self, i):
        block = self.get_block(i)
        while block == Block.HOLE:
            block = self.get_block(i)
        return super().direct_read(i)


class Waits(Ext4Of2016, abstract=True):
    \"\"\"Waits for that.\"\"\"

    rule, since = "waits", 2026

    @operation(kernel="fs/direct-io.c:wait")
    def direct_read(self, i):
        wait_until(self.block[i] != Block.HOLE)
        return super().direct_read(i)
"""
"""Two rules under which a direct read of a hole need not end."""


WORST_FIRST = ("exposed", "deadlock", "lost", "torn", "stale", "error", "ok")
FOREIGN = {"STALE", "SECRET"}
JUDGED = {"ZERO", "OLD", "NEW", "NEWER", "EOF"}
FIRST = {"hole": "ZERO", "preallocated": "ZERO", "written": "OLD"}
SAID = {"STALE": "exposed", "EIO": "error", "NOTHING": "done"}
READS, WRITES = {"read", "direct_read", "mmap_load"}, {"write", "direct_write", "mmap_store"}
Outcome = tuple[tuple[tuple[str, str], ...], str, str]


def said(data: str) -> str:
    """A value in words."""
    return SAID.get(data, data.lower())


@dataclass
class Runs:
    """All states of a program and the steps between them."""

    program: Program
    operations: tuple[str, ...]
    initial: str

    def __post_init__(self) -> None:
        self.interpreter = Interpreter(self.program)
        self.cells = {name: number for number, name in enumerate(self.interpreter.layout.names)}
        self.names = [thread.name for thread in self.program.threads]
        self.users = [self.names.index(f"t{k}_{name}") for k, name in enumerate(self.operations)]
        self.steps: dict[State, list[tuple[int, State]]] = {}
        waiting = list(self.interpreter.initial())
        while waiting:
            state = waiting.pop()
            if state not in self.steps:
                found = self.interpreter.successors(state)
                assert all(step.state is not None for step in found), "a rule fails by itself"
                self.steps[state] = [(s.action.thread, s.state) for s in found if s.state is not None]
                waiting += [after for _, after in self.steps[state]]

    def outcomes(self) -> set[Outcome]:
        """Everything that a run can end with."""
        ends = {self.ended(state) for state, steps in self.steps.items() if not steps}
        return ends | {self.stuck(state) for state in self.endless()}

    def value(self, state: State, name: str) -> str:
        """A cell as a word."""
        cell = self.cells[name]
        return show_value(self.interpreter.layout.types[cell], state[cell]).rpartition(".")[2]

    def unfinished(self, state: State) -> bool:
        """Whether a thread that should end has not."""
        pcs = self.interpreter.layout.pc
        return any(state[pc] and not self.program.template_of(t).daemon for t, pc in enumerate(pcs))

    def results(self, state: State) -> tuple[tuple[str, str], ...]:
        """Of each thread the last two results."""
        found = []
        for thread in self.users:
            last, earlier = (self.value(state, f"{name}[{thread}]") for name in ("outcome", "earlier"))
            both = f"{said(earlier)} then {said(last)}"
            found.append((self.names[thread], said(last) if earlier == "NOTHING" else both))
        return tuple(found)

    def endless(self) -> Iterator[State]:
        """The nearest states among those where threads that should end can go round forever, nobody being passed over:
        whoever can run at some state of the round runs in it."""
        graph = networkx.MultiDiGraph()
        for state, steps in self.steps.items():
            graph.add_edges_from((state, after, {"thread": t}) for t, after in steps if self.unfinished(after))
        rounds: set[State] = set()
        waiting = [graph.subgraph([s for s in graph if self.unfinished(s)])]
        while waiting:
            for states in networkx.strongly_connected_components(region := waiting.pop()):
                ran = {t for _, _, t in region.subgraph(states).edges(data="thread")}
                owed = {t for s in states for t, _ in self.steps[s]} - ran
                if ran and not owed:
                    rounds |= states
                elif ran:
                    waiting.append(region.subgraph([s for s in states if not owed & {t for t, _ in self.steps[s]}]))
        level, seen = set(self.interpreter.initial()), set[State]()
        while rounds and not level & rounds:
            seen |= level
            level = {after for state in level for _, after in self.steps[state]} - seen
        yield from level & rounds

    # -- the guide's sentences ------------------------------------------------------------------------------------------

    def ended(self, state: State) -> Outcome:
        """An outcome where nothing can run any more."""
        if self.unfinished(state):
            return self.stuck(state)
        media, cached = self.file(state)
        after = said(media) if media == cached else f"cache {said(cached)}, disk {said(media)}"
        return self.results(state), after, min(self.problems(state, media, cached), key=WORST_FIRST.index)

    def stuck(self, state: State) -> Outcome:
        """Some thread can never go on, or goes round forever: nothing is said of the file."""
        bad = {"deadlock", *self.of_results(state), *self.of_transfers(state)}
        return self.results(state), "-", min(bad, key=WORST_FIRST.index)

    def file(self, state: State) -> tuple[str, str]:
        """What is on disk, and what a read through the cache gives."""
        mapped = self.value(state, "block[0]") == "MAPPED"
        media = self.value(state, "disk[0]") if mapped else "ZERO"
        cached = self.value(state, "page[0]") if self.value(state, "slot[0]") == "UPTODATE" else media
        disk_size, size = (state[self.cells[name]] for name in ("i_disksize", "i_size"))
        return media if disk_size else "EOF", cached if size else "EOF"

    def problems(self, state: State, media: str, cached: str) -> set[str]:
        """All that is wrong with an end."""
        found = {"ok", *self.of_results(state), *self.of_transfers(state)}
        if {media, cached, self.value(state, "page[0]")} & FOREIGN:
            found.add("exposed")
        if "wb_err" in self.cells and state[self.cells["wb_err"]]:
            return {*found, "error"}
        if media in JUDGED:
            found.add(self.of_orders(state, media))
        return found | ({"stale"} if media != cached and not self.pending(state) else set())

    def pending(self, state: State) -> bool:
        """Whether what the cache has is yet to be written."""
        return bool(state[self.cells["dirty[0]"]])

    def of_results(self, state: State) -> Iterator[str]:
        """What a result says by itself."""
        given = {self.value(state, f"{name}[{t}]") for name in ("outcome", "earlier") for t in self.users}
        kinds = {"exposed": FOREIGN, "lost": {"UNTOUCHED"}, "torn": {"TORN"}, "error": {"EIO"}}
        yield from (verdict for verdict, values in kinds.items() if given & values)

    def of_transfers(self, state: State) -> Iterator[str]:
        """Another file's block was written."""
        if "freed_io" in self.cells and state[self.cells["freed_io"]]:
            yield "lost"

    def of_orders(self, state: State, media: str) -> str:
        """Whether some order of the calls explains what they returned and what is on disk."""
        made: list[tuple[int, Called]] = []
        for k, (thread, name) in enumerate(zip(self.users, self.operations, strict=True)):
            given = self.value(state, f"outcome[{thread}]")
            if name in READS and given in JUDGED:
                made.append((thread, Called("read", given)))
            elif name in WRITES:
                made.append((thread, Called("refused" if given == "EIO" else "write", "NEWER" if k else "NEW")))
            elif name == "punch_hole":
                made.append((thread, Called("refused" if given == "EIO" else "punch", "ZERO")))
        before = {
            (a, b)
            for a, (first, _) in enumerate(made)
            for b, (second, _) in enumerate(made)
            if a != b and state[self.cells[f"began[{second}].had_ended[{first}]"]]
        }
        return verdict(tuple(call for _, call in made), frozenset(before), self.initial, media)


def worst(verdicts: Any) -> str:
    return min(verdicts, key=WORST_FIRST.index)


class Force:
    """All outcomes of rules and operations, by layout."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.known: dict[tuple[str, ...], dict[str, frozenset[Outcome]]] = {}

    def __call__(self, rule: str, *operations: str) -> dict[str, frozenset[Outcome]]:
        key = (rule, *operations)
        if key not in self.known:
            programs = product(together(self.registry, operations), self.registry.rules[rule], (Log, *JUDGES))
            of = {name: Runs(program, operations, FIRST[name]) for name, program in programs.items()}
            self.known[key] = {name: frozenset(runs.outcomes()) for name, runs in of.items()}
        return self.known[key]


@pytest.fixture(scope="module")
def by_force(tmp_path_factory: pytest.TempPathFactory) -> Force:
    (path := tmp_path_factory.mktemp("rules") / "own.py").write_text(OWN)
    return Force(open_registry(files=[path]))


RULES = ("generic_2005", "iomap_2018", "spins", "waits")
PAIRS = (("direct_write", "read"), ("direct_read", "mmap_store"), ("mmap_load", "punch_hole"), ("direct_read", "read"))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("group", PAIRS, ids=" x ".join)
def test_outcomes_are_all_ends(by_force: Force, rule: str, group: tuple[str, ...]) -> None:
    found = outcomes(together(by_force.registry, group), by_force.registry.rules[rule], witnesses=())
    assert {one.layout: {o.key for o in one.outcomes} for one in found} == by_force(rule, *group)
    assert all(one.complete for one in found)


def test_a_cell_is_the_worst_of_all_ends(by_force: Force) -> None:
    """Of the layouts together, and layout by layout."""
    found = matrix(by_force.registry, [by_force.registry.rules[rule] for rule in RULES[:2]], PAIRS[1])
    assert len(found.cells) == 3 * 2
    for cell in found.cells:
        ends = by_force(cell.rule, *cell.operations)
        verdicts = {layout: worst(v for _, _, v in of_layout) for layout, of_layout in ends.items()}
        assert (cell.verdict, dict(cell.layouts)) == (worst(verdicts.values()), verdicts), cell.name


def test_a_triple_is_three_side_by_side(by_force: Force) -> None:
    found = matrix(by_force.registry, [by_force.registry.rules["generic_2005"]], ("direct_write", "read"), size=3)
    for cell in found.cells:
        ends = by_force(cell.rule, *cell.operations)
        assert dict(cell.layouts) == {layout: worst(v for _, _, v in of_layout) for layout, of_layout in ends.items()}
    assert {len(cell.operations) for cell in found.cells} == {3}
    assert "stale" in {cell.verdict for cell in found.cells}


@pytest.mark.parametrize(
    ("before", "after", "words"), [("generic_2005", "iomap_2018", "repaired adds"), ("iomap_2018", "spins", "opened")]
)
def test_a_difference_is_what_one_of_two_rules_has(by_force: Force, before: str, after: str, words: str) -> None:
    registry = by_force.registry
    found = diff(registry.rules[before], registry.rules[after], [together(registry, pair) for pair in PAIRS[1:]])
    expected = set()
    for pair in PAIRS[1:]:
        old, new = by_force(before, *pair), by_force(after, *pair)
        for layout in old.keys() & new.keys():
            for outcome in old[layout] ^ new[layout]:
                bad = outcome[2] not in ("ok", "error")
                word = ("opened", "adds") if outcome in new[layout] else ("repaired", "removes")
                expected.add((" x ".join(pair), layout, word[not bad], outcome))
    assert {(c.workload, c.layout, c.word, c.outcome.key) for c in found.changes} == expected
    assert {word for _, _, word, _ in expected} >= set(words.split())
    assert found.exit_code == any(word == "opened" for _, _, word, _ in expected)


def test_these_pairs_show_what_there_is_to_tell(by_force: Force) -> None:
    seen = {o[2] for rule in RULES for pair in PAIRS for of_layout in by_force(rule, *pair).values() for o in of_layout}
    assert seen == {"exposed", "deadlock", "stale", "error", "ok"}
