"""Random properties of a model that was written: invariants of states and steps, witnesses, what must or can happen."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Text = str | Callable[[], str]


@dataclass
class Facts:
    """What properties can speak of. In each text ``$`` stands for `self`, or in a step invariant for `after`."""

    numbers: Sequence[str] = ()
    truths: Sequence[str] = ()
    """Conditions as they are."""
    threads: Sequence[str] = ()
    """Names of thread bodies."""
    windows: Sequence[tuple[str, tuple[tuple[str, str], ...]]] = ()
    """Names of windows, or ``self.op``, each with arguments of the operation around it: name and type."""
    locks: Sequence[str] = ()
    """Locks that can be asked ``held_by``."""
    families: Sequence[tuple[str, str]] = ()
    """Conditions over all elements: a range and what is asked of each ``i``."""
    values: dict[str, Sequence[str]] = field(default_factory=dict)
    """Constants by type, for arguments."""
    limit: int = 2
    """Numbers are compared with constants from -1 up to here."""


class Claims:
    """Writes properties."""

    def __init__(self, r: random.Random, facts: Facts) -> None:
        self.r, self.facts = r, facts

    def one(self, options: Sequence[Text]) -> str:
        found = self.r.choice(options)
        return found if isinstance(found, str) else found()

    # -- formulas ------------------------------------------------------------------------------------------------------

    def number(self) -> str:
        plain = self.one(self.facts.numbers)
        more = self.r.random()
        if more < 0.7:
            return plain
        if more < 0.8:
            return f"({plain} - {self.r.randint(1, 3)}) {self.one(['//', '%'])} {self.r.randint(1, 3)}"
        if more < 0.9:
            return f"{self.one(['min', 'max'])}({plain}, {self.one(self.facts.numbers)})"
        return f"({plain} {self.one(['+', '-', '*'])} {self.one([*self.facts.numbers, '2'])})"

    def compared(self) -> str:
        sign = self.one(["==", "!=", "<", "<=", ">", ">="])
        right = self.number() if self.r.random() < 0.3 else str(self.r.randint(-1, self.facts.limit))
        return f"{self.number()} {sign} {right}"

    def inside(self) -> str:
        with_arguments = [one for one in self.facts.windows if any(self.facts.values.get(t) for _, t in one[1])]
        some = with_arguments if with_arguments and self.r.random() < 0.5 else self.facts.windows
        name, parameters = self.r.choice(list(some))
        asked = [p for p in parameters if self.facts.values.get(p[1]) and self.r.random() < 0.6]
        given = "".join(f", {n}={self.r.choice(list(self.facts.values[t]))}" for n, t in asked)
        return f"$.inside({name}{given})"

    def held(self) -> str:
        lock = self.one(self.facts.locks)
        body = self.one(["", *(f"self.{t}" for t in self.facts.threads)])
        if self.r.random() < 0.5:
            return f"any($.{lock}.held_by(t) for t in threads({body}))"
        return f"sum(1 for t in threads({body}) if $.{lock}.held_by(t)) <= 1"

    def family(self) -> str:
        over, what = self.r.choice(list(self.facts.families))
        return f"{self.one(['all', 'any'])}({what} for i in {over})"

    def control(self) -> str:
        found: list[Text] = ["$.at_rest()", *(f"$.finished(self.{t})" for t in self.facts.threads)]
        found += [self.inside] * 4 if self.facts.windows else []
        found += [self.held] * 2 if self.facts.locks else []
        return self.one(found)

    def atom(self) -> str:
        kinds: list[Text] = [self.control]
        kinds += [self.compared] * 2 if self.facts.numbers else []
        kinds += [lambda: self.one(self.facts.truths)] * 2 if self.facts.truths else []
        kinds += [self.family] * 2 if self.facts.families else []
        kinds += [self.inside] * 3 if any(given for _, given in self.facts.windows) else []
        return self.one(kinds)

    def formula(self, deep: int = 2) -> str:
        """A condition of one state."""
        r = self.r.random()
        if deep == 0 or r < 0.25:
            return self.atom()
        left, right = self.formula(deep - 1), self.formula(deep - 1)
        if r < 0.5:
            return f"({left}) {self.one(['and', 'or', 'or'])} ({right})"
        if r < 0.62:
            return f"not ({left})" if r < 0.6 else f"Not({left})"
        if r < 0.8:
            return f"Implies({left}, {right})"
        if r < 0.95:
            return f"{self.one(['Or', 'And', 'Xor', 'Or'])}({left}, {right})"
        if r < 0.97:
            return f"If({self.atom()}, {left}, {right})"
        return f"(({left}) if ({self.atom()}) else ({right}))"

    def plain(self, deep: int = 2) -> str:
        return self.formula(deep).replace("$", "self")

    def step(self) -> str:
        """A condition of a step."""
        atom, r = self.atom(), self.r.random()
        if r < 0.3 and self.facts.numbers:
            number = self.one(self.facts.numbers)
            kept = f"{number.replace('$', 'after')} {self.one(['==', '>=', '<='])} {number.replace('$', 'self')}"
            return f"({self.plain(1)}) or {kept}"
        if r < 0.45 and self.facts.windows:
            return f"Implies({self.inside().replace('$', 'self')}, {self.one([self.inside, self.atom]).replace('$', 'after')})"
        if r < 0.6:
            return f"Implies({atom.replace('$', 'self')}, {self.atom().replace('$', 'after')})"
        return f"({self.plain(1)}) or ({self.formula(1).replace('$', 'after')})"

    # -- properties ----------------------------------------------------------------------------------------------------

    def properties(self, count: int, *, live: bool) -> list[str]:
        """Lines of a class: so many properties; `live`: what must or can happen may be among them."""
        lines: list[str] = []
        for number in range(count):
            kinds = ["invariant"] * 4 + ["step"] * 2 + ["reachable"] * 2
            kinds += ["always_reachable", "progress", 'progress(fairness="strong")'] * 2 if live else []
            kind = self.one(kinds)
            body = self.step() if kind == "step" else self.plain(1 if "progress" in kind else 2)
            if "self" not in body and "after" not in body:
                continue
            word, more = ("invariant", ", after") if kind == "step" else (kind, "")
            lines += ["", f"    @{word}", f"    def p{number}(self{more}):", f"        return {body}"]
        return lines
