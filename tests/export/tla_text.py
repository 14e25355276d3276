"""Exported modules run from their text: what TLC would do with the few words of TLA+ that an export uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

WORDS = (
    ("/\\", " and "), ("\\/", " or "), ("~", " not "), ("#", "!="), (" = ", " == "), ("\\div", "//"),
    ("(IF ", "chosen("), (" THEN ", ", "), (" ELSE ", ", "), ("TRUE", "True"), ("FALSE", "False"),
)  # fmt: skip


def python(text: str) -> str:
    for word, meant in WORDS:
        text = text.replace(word, meant)
    return text.strip()


def chosen(test: bool, then: int, orelse: int) -> int:
    return then if test else orelse


class Module:
    """A module: its variables, initial states, actions and invariants, as Python reads their text."""

    def __init__(self, text: str) -> None:
        text = re.sub(r"\(\*.*?\*\)|\\\*[^\n]*", "", text, flags=re.DOTALL)
        self.words = {"chosen": chosen} | {n: int(v) for n, v in re.findall(r"^(\w+) == (-?\d+)$", text, re.MULTILINE)}
        self.variables = re.findall(r"\w+", text.partition("\nVARIABLES ")[2].partition("\n")[0])
        groups = {n: re.findall(r"\w+", g) for n, g in re.findall(r"^(vars_\w+) == <<(.*)>>$", text, re.MULTILINE)}
        starts = text.partition("\nInit ==\n")[2].partition("\n\n")[0].splitlines()
        self.starts = [
            tuple(self.value(dict(re.findall(r"(\w+) = (\S+)", line))[name], {}) for name in self.variables)
            for line in starts
        ]
        following = re.findall(r"\\/ (\w+)", text.partition("\nNext ==\n")[2].partition("\n\n")[0])
        self.actions = [
            self.action(text.partition(f"\n{name} ==\n")[2].partition("\n\n")[0], groups) for name in following
        ]
        told = re.findall(r"^(Inv_\w+) == (.*)$", text, re.MULTILINE)
        self.invariants = {name: compile(python(body), name, "eval") for name, body in told}

    def value(self, text: str, state: dict[str, int]) -> int:
        return eval(python(text), self.words, state)

    def action(self, body: str, groups: dict[str, list[str]]):
        guards: list[str] = []
        changes: dict[str, object] = {}
        for line in body.splitlines():
            conjunct = line.strip().removeprefix("/\\ ").strip()
            changed = re.fullmatch(r"(\w+)' = (.*)", conjunct)
            if changed:
                assert changed[1] not in changes
                changes[changed[1]] = compile(python(changed[2]), body, "eval")
            elif conjunct.startswith("UNCHANGED"):
                same = [v for name in re.findall(r"\w+", conjunct)[1:] for v in groups.get(name, [name])]
                assert not {*same} & {*changes}
                changes |= {name: compile(name, body, "eval") for name in same}
            else:
                guards.append(f"({python(conjunct)})")
        assert {*changes} == {*self.variables}
        return compile(" and ".join(guards), body, "eval"), [changes[name] for name in self.variables]

    def following(self, state: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        known = dict(zip(self.variables, state, strict=True))
        for guard, changes in self.actions:
            if eval(guard, self.words, known):
                yield tuple(eval(change, self.words, known) for change in changes)

    def run(self) -> tuple[int, bool, set[str]]:
        """States without a fault, whether one has a fault, and the invariants that some state violates."""
        seen, waiting = {*self.starts}, list(self.starts)
        while waiting:
            for state in self.following(waiting.pop()):
                if state not in seen:
                    seen.add(state)
                    waiting.append(state)
        good = [dict(zip(self.variables, s, strict=True)) for s in seen if not s[self.variables.index("fault")]]
        wrong = {
            n.removeprefix("Inv_") for n, c in self.invariants.items() if not all(eval(c, self.words, s) for s in good)
        }
        return len(good), len(good) < len(seen), wrong
