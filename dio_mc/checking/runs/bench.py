"""Trying one edit: screened by `fix.screen`, compared in runs without interleaving, then checked
like any model.

A reported fix is the written subclass: it is loaded from a file and checked there, with larger
parameters, and for any number of its threads. So an error in an edit, or in how it is written, can
at worst hide a fix.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from dio_mc.checking.driver import Options, Wanted, check_class
from dio_mc.checking.general import check_any_number
from dio_mc.checking.results import Report
from dio_mc.engines.limits import Limits
from dio_mc.errors import DioError
from dio_mc.fix.edit import Edit, both
from dio_mc.fix.found import Checked, EditText, Fix, NearMiss, Open, Tried, Waits
from dio_mc.fix.operators import edits_of
from dio_mc.fix.screen import FAULTS, UNREACHED, Requirement, decided_here, kind_of, screened
from dio_mc.fix.serial import Serial, new_outcome, serial_runs, stands_still
from dio_mc.fix.surroundings import Surroundings
from dio_mc.fix.waiting import waiting
from dio_mc.fix.writing import NAME, difference, subclass_text
from dio_mc.frontend.build import Built, Like, build
from dio_mc.frontend.declare import members_of
from dio_mc.frontend.load import load_module
from dio_mc.lang.model import Model
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop
from dio_mc.wording import plural

LARGER: Final = 10
"""An edit may have this many times the states of the model,"""
LEAST: Final = 10_000
"""and at least this many."""
MOST: Final = 100_000
"""The number of states of a check with larger parameters after which it is given up."""
LOOK: Final = 0.05
"""Seconds between two polls of the limits."""
Params = tuple[tuple[str, int], ...]


@dataclass
class Bench:
    """A violated class, the goals of a fix, and the limits of each trial."""

    model: type[Model]
    params: Params
    asked: Requirement
    options: Options
    limits: Limits = field(default_factory=lambda: Limits(Budget()))
    _looked: float = 0.0
    _reason: Stop | None = None

    @cached_property
    def around(self) -> Surroundings:
        """The material for edits."""
        return Surroundings(self.model)

    @cached_property
    def edits(self) -> list[Edit]:
        """All single edits."""
        return edits_of(self.around)

    @contextmanager
    def under(self, options: Options) -> Iterator[None]:
        """Apply these limits until the end of the block."""
        self.options, self.limits = options, Limits(options.budget, options.stop)
        self._looked, self._reason = 0.0, None
        yield

    @cached_property
    def built(self) -> Built:
        """The original model, built."""
        return build(self.model, dict(self.params))

    @cached_property
    def before(self) -> Serial:
        """The results of the original model without interleaving."""
        return serial_runs(self.built.program, self.enough)

    @cached_property
    def states(self) -> int:
        """The number of states of the original model; all of them, if they are few."""
        everything = Requirement(frozenset(), frozenset())
        return screened(self.built.program, everything, MOST, self.enough).states

    def enough(self) -> object:
        """The reason to stop, or None; polled during the search."""
        if self._reason is None and time.monotonic() - self._looked > LOOK:
            self._looked, self._reason = time.monotonic(), self.limits.exceeded()
        return self._reason

    def edit(self, parts: tuple[int, ...]) -> Edit | None:
        """A single edit, or two together."""
        if len(parts) == 1:
            return self.edits[parts[0]]
        one, other = parts
        return both(self.edits[one], self.edits[other], (one, other))

    # --- the sieve ----------------------------------------------------------------------------------------------------

    def tried(self, parts: tuple[int, ...]) -> Tried:
        """The result of an edit with the given parameters."""
        reason = self.enough()
        if reason is not None:
            return Tried(parts, "undecided", why=str(reason))
        edit = self.edit(parts)
        if edit is None:
            return Tried(parts, "invalid", why="the two do not go together")
        try:
            built = self._built(edit)
        except DioError as error:
            return Tried(parts, "invalid", why=(str(error).splitlines() or [""])[0])
        if built.program.digest == self.built.program.digest:
            return Tried(parts, "invalid", why="it changes nothing")
        found = screened(built.program, self.asked, max(LEAST, LARGER * self.states), self.enough)
        if found.fate == "open":
            return Tried(parts, "open", tuple(Open(*each) for each in found.open), found.states)
        regressed = self._regressed(parts, serial_runs(built.program, self.enough), found.states)
        return regressed if regressed.fate != "passes" or not self.blind else self._judged(edit, regressed)

    @cached_property
    def blind(self) -> bool:
        """Whether a goal cannot be decided by the screening."""
        seen = decided_here(self.built.program, frozenset(p.name for p in self.built.program.properties))
        reached = {p.name for p in self.built.program.properties if p.kind == "reachable"}
        return any(self.asked.minds(p.name) for p in self.built.program.properties if p.name not in seen | reached)

    def _judged(self, edit: Edit, tried: Tried) -> Tried:
        """The result of a check of an edit that the screening could not evaluate."""
        report = self._check(edit.of(self.model), self.params)
        left = open_in(report, self.asked)
        return replace(tried, fate="open", open=left) if left else tried

    def _built(self, edit: Edit) -> Built:
        """The program of an edit; threads that it does not reach are unchanged."""
        around = self.around
        changed = [body.function for body in edit.functions]
        same = frozenset(b.name for b in around.bodies if b.thread and not around.reaches(b, changed))
        return build(edit.of(self.model), dict(self.params), None, Like(self.built.program, same))

    def _regressed(self, parts: tuple[int, ...], after: Serial, states: int) -> Tried:
        if self.enough() is not None:
            return Tried(parts, "undecided", why=str(self.enough()))
        stuck = stands_still(self.before, after)
        if stuck is not None:
            return Tried(parts, "open", (Open("deadlock", UNREACHED, why=f"with {', '.join(stuck)} alone"),), states)
        changed, cells = "", tuple[str, ...]()
        new = new_outcome(self.before, after)
        if new is not None:
            order, cells = new
            end = ", ".join(cells) if cells else "no end"
            changed = f"{' and then '.join(order)}{' alone' if len(order) == 1 else ''}: {end}"
        return Tried(parts, "passes", (), states, changed, tuple(cell.split(" = ")[0] for cell in cells))

    # --- what passes --------------------------------------------------------------------------------------------------

    def finished(self, tried: Tried, *, brief: bool = False) -> Fix | Tried:
        """The fix that an edit makes, written and checked, with the given parameters only if
        `brief`; or the violations that it leaves."""
        edit = self.edit(tried.parts)
        assert edit is not None
        with tempfile.TemporaryDirectory(prefix="dio-mc-") as folder:
            text = self._text(edit, ())
            file = Path(folder) / f"{self.model.__name__.lower()}_fixed.py"
            file.write_text(text, encoding="utf-8")
            fixed = next(m for m in load_module(file).models if m.__name__ == NAME.format(self.model.__name__))
            return self._checked(edit, tried, fixed, brief=brief)

    def _checked(self, edit: Edit, tried: Tried, fixed: type[Model], *, brief: bool) -> Fix | Tried:
        checked: list[Checked] = []
        for params in [self.params] if brief else self._bindings():
            report = self._check(fixed, params)
            left = open_in(report, self.asked)
            left = open_in(report, self._asked_with(params)) if left else left
            if left or (params == self.params and report.verdict == "UNDETERMINED"):
                found = tuple(replace(o, params=params) for o in left)
                return replace(tried, fate="open" if left else "undecided", open=found)
            checked.append(Checked(params, self._verdict(report), report.states))
        if self.enough() is not None:
            return replace(tried, fate="undecided", why=str(self.enough()))
        text = self._text(edit, checked)
        return Fix(
            EditText.of(edit, tried.parts), text, difference(self.model, edit), tuple(checked),
            () if brief else self._waits(fixed), "" if brief else self._any_number(fixed), tried.changed,
        )  # fmt: skip

    def _verdict(self, report: Report) -> str:
        """``HOLDS``, or the violations that are left and were there before and not asked for."""
        left = sorted({kind_of(p.name) for p in report.properties if p.verdict == "VIOLATED" and p.kind != FAULTS})
        return f"VIOLATED {', '.join(left)}" if left else report.verdict

    def _check(self, model: type[Model], params: Params) -> Report:
        budget = self.options.budget
        most = None if params == self.params else min(MOST, budget.max_states or MOST)
        left = None if budget.timeout is None else max(0.0, budget.timeout - self.limits.seconds)
        budget = Budget(most or budget.max_states, budget.max_depth, left, budget.max_memory)
        return check_class(model, dict(params), replace(self.options, budget=budget, any_number=None))

    def _bindings(self) -> list[Params]:
        """The given parameters; those of the file's expectations; and each number one larger."""
        given = dict(self.params)
        found = {self.params: None}
        for expectation in self.model.__dio_expectations__:
            found.setdefault(_bound({**given, **dict(expectation.params)}))
        for name, declared in members_of(self.model).params.items():
            value = given.get(name, declared.default)
            larger = int(value) + 1
            if not isinstance(declared.default, bool) and (declared.max is None or larger <= declared.max):
                found.setdefault(_bound({**given, name: larger}))
        return list(found)

    def _asked_with(self, params: Params) -> Requirement:
        """The goals with other parameters: a property that the model violates there and that was
        not to be fixed is spared."""
        if params == self.params:
            return self.asked
        if params not in self._elsewhere:
            before = open_in(self._check(self.model, params), Requirement(frozenset()))
            names = {kind_of(o.property) for o in before} - self.asked.goals
            self._elsewhere[params] = replace(self.asked, spared=self.asked.spared | names)
        return self._elsewhere[params]

    @cached_property
    def _elsewhere(self) -> dict[Params, Requirement]:
        return {}

    def _waits(self, fixed: type[Model]) -> tuple[Waits, ...]:
        before = waiting(self.built.program, MOST, self.enough)
        after = waiting(build(fixed, dict(self.params)).program, MOST, self.enough)
        return tuple(Waits(name, before.get(name, 0), share) for name, share in after.items())

    def _any_number(self, fixed: type[Model]) -> str:
        """The result for any number of its threads, in words; empty if no proof was attempted."""
        try:
            options = replace(self.options, budget=replace(self.options.budget, max_states=MOST))
            report = check_any_number(fixed, dict(self.params), Wanted(("all",)), options)
        except DioError:
            return ""
        return report.any_number.words() if report.any_number is not None else ""

    def _text(self, edit: Edit, checked: list[Checked] | tuple[()]) -> str:
        stated = [_stated(each) for each in checked]
        about = f"A fix of {self.model.__name__}, found by `dio-mc fix`: {plural(edit.size, 'statement')}."
        return subclass_text(self.model, edit, stated, about)

    # --- what does not ------------------------------------------------------------------------------------------------

    def near(self, tried: Tried) -> NearMiss:
        """The violations that an edit leaves, with the schedule of the first."""
        edit = self.edit(tried.parts)
        assert edit is not None
        edited = EditText.of(edit, tried.parts)
        if self.enough() is not None:
            return NearMiss(edited, tried.open)
        params = next((o.params for o in tried.open if o.params), self.params)
        report = self._check(edit.of(self.model), params)
        left = {o.property: o for o in open_in(report, self._asked_with(params))}
        named = tuple(replace(left.get(o.property, o), params=o.params, why=o.why) for o in tried.open)
        for trace in report.traces:
            if any(kind_of(trace.property) == o.property for o in named) and trace.kind == "violation":
                steps = tuple(f"{step.thread}: {step.text}" for step in trace.steps)
                return NearMiss(edited, named, steps)
        return NearMiss(edited, named)


def open_in(report: Report, asked: Requirement) -> tuple[Open, ...]:
    """The violations of a report that count, with the length of each schedule."""
    lengths = {v.property: len(v.schedule) for v in report.violations}
    found: dict[str, Open] = {}
    for result in report.properties:
        if result.verdict == "VIOLATED" and result.kind != FAULTS and asked.minds(result.name):
            steps = UNREACHED if result.kind == "reachable" else lengths.get(result.name, UNREACHED)
            known = found.get(kind_of(result.name))
            if known is None or steps < known.steps:
                found[kind_of(result.name)] = Open(kind_of(result.name), steps)
    return tuple(found.values())


def _bound(params: Mapping[str, int]) -> Params:
    return tuple(sorted(params.items()))


def _stated(checked: Checked) -> str:
    """The ``expect`` line of a check."""
    bound = "".join(f", {name}={value}" for name, value in checked.params)
    if checked.verdict.startswith("VIOLATED "):
        names = ", ".join(f'"{name}"' for name in checked.verdict.removeprefix("VIOLATED ").split(", "))
        return f"expect({{}}, violates={{{{{names}}}}}{bound})"
    return f"expect({{}}, holds=True{bound})" if checked.verdict == "HOLDS" else ""
