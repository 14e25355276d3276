"""What is said of a mutant in the end: equivalent only where it is proved, invalid only where no binding makes it a model."""

from __future__ import annotations

from pathlib import Path

from mutated import HEAD, load

from dio_mc.checking.driver import Options
from dio_mc.checking.runs.mutate import Plan, score
from dio_mc.checking.runs.plan import Task
from dio_mc.mutation.score import Score


def fates(folder: Path, text: str, *bindings: tuple[tuple[str, int], ...]) -> dict[str, tuple[str, str]]:
    """Of each mutant by its text: the fate and why."""
    model = load(folder, HEAD + text)
    tasks = [Task(str(folder / "m.py"), model, params, None) for params in bindings or [()]]
    found = score(tasks, Plan(Options()))
    assert isinstance(found, Score)
    return {judged.mutant.text: (judged.fate, judged.why) for judged in found.judged}


TWO_WAITS = """\
class M(Model):
    x = Var(Range(0, 2))
    y = Var(Range(0, 2))
    @thread
    def a(self):
        wait_until(self.x >= 0); wait_until(self.x == 2)
        self.y = self.x
    @thread
    def b(self):
        self.x = 1
        self.x = 2
    @invariant
    def q(self):
        return self.y <= 2
"""


def test_two_waits_on_one_line_are_two(tmp_path: Path) -> None:
    found = fates(tmp_path, TWO_WAITS)
    assert found["without `wait_until(self.x >= 0)`"] == ("equivalent", "it never has to wait")
    assert found["without `wait_until(self.x == 2)`"] == ("survived", "")


DELAYED = """\
class M(Model):
    x = Var(Range(0, 2))
    g = Var(Range(0, 2), ghost=True)
    @thread
    def a(self):
        self.x = 1
        WAIT
        GHOST
        self.x = self.x
    @thread
    def b(self):
        self.x = 2
    @invariant
    def q(self):
        return self.g <= 2
"""


def test_a_wait_may_delay_a_ghost(tmp_path: Path) -> None:
    """Without the wait, the ghost is written in the step before, when nobody can have changed `x`."""
    text = DELAYED.replace("WAIT", "wait_until(self.x >= 1)")
    assert (
        fates(tmp_path, text.replace("GHOST", "self.g = self.x"))["without `wait_until(self.x >= 1)`"][0] == "survived"
    )
    assert fates(tmp_path, text.replace("GHOST", "self.g = 1"))["without `wait_until(self.x >= 1)`"][0] == "survived"
    assert fates(tmp_path, text.replace("        GHOST\n", ""))["without `wait_until(self.x >= 1)`"][0] == "equivalent"


def test_a_wait_may_be_what_keeps_a_window_open(tmp_path: Path) -> None:
    text = DELAYED.replace("GHOST", "pass").replace(
        "        self.x = 1\n        WAIT",
        """\
        with window("w"):
            self.x = 1
            wait_until(self.x >= 1)""",
    )
    asked = text.replace("self.g <= 2", 'self.g <= 2 or self.inside("w")')
    assert fates(tmp_path, text)["without `wait_until(self.x >= 1)`"][0] == "equivalent"
    assert fates(tmp_path, asked)["without `wait_until(self.x >= 1)`"][0] == "survived"


BOUND = """\
class M(Model):
    n = Param(1, min=1, max=3)
    a = Array(Range(0, 1), size=n)
    x = Var(Range(0, 3), init=1)
    @thread
    def t(self):
        if self.n > 1 and self.x == 0:
            self.a[self.n - 2] = 1
    @invariant
    def q(self):
        return self.a[0] == 0
"""


def test_what_is_no_model_with_one_binding_is_tried_with_the_next(tmp_path: Path) -> None:
    taken = "`if self.n > 1 and self.x == 0` taken as true"
    without = "`self.n > 1 and self.x == 0` without `self.n > 1`"
    for bindings in ([(("n", 1),), (("n", 2),)], [(("n", 2),), (("n", 1),)]):
        found = fates(tmp_path, BOUND, *bindings)
        assert found[taken] == ("caught", "q in 1 step")
        assert found[without] == ("equivalent", "every schedule is the same, with the same data, where it is a model")
    alone = fates(tmp_path, BOUND, (("n", 1),))
    assert (alone[taken][0], alone[without][0]) == ("invalid", "invalid")
