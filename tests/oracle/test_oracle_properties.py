"""The independent evaluator's answers about properties, against programs worked out by hand."""

from __future__ import annotations

import pytest
from oracle import Oracle
from oracle_properties import Answer, Shown, answer

HEADER = """\
from dio_mc import *
from z3 import Implies

class M(Model):
    n = Param(2, min=1, max=3)
    x = Var(Range(0, 3))
    y = Var(bool)
    a = Array(Range(0, 2), size=n)
    m = Mutex()
"""
BEGIN = HEADER.count("\n")


def asked(body: str, **params: int) -> Answer:
    """`body` is written without the four columns that class members stand in."""
    text = HEADER + "".join(f"    {line}\n" if line else "\n" for line in body.strip("\n").split("\n"))
    oracle = Oracle(text, params=params)
    graph = oracle.graph(10_000)
    assert graph is not None
    return answer(oracle, graph)


INCREMENTS = """
@thread(instances=2)
def t(self):
    v = self.x
    self.x = v + 1
"""


def test_an_invariant_is_shown_by_the_shortest_run_with_the_fewest_switches() -> None:
    found = asked(INCREMENTS + "@invariant\ndef p(self): return not self.at_rest() or self.x == 2")
    assert found.written == {"p": Shown(4, 4, 2)}
    assert (found.deadlock, found.faults) == (None, {})
    assert asked(INCREMENTS + "@invariant\ndef p(self): return self.x <= 2").written == {"p": None}


def test_a_step_invariant_is_asked_of_every_step() -> None:
    found = asked(INCREMENTS + "@invariant\ndef p(self, after): return after.x >= self.x")
    assert found.written == {"p": None}
    found = asked(INCREMENTS + "@invariant\ndef p(self, after): return after.x != 2 or after.finished(self.t)")
    assert found.written == {"p": None}
    found = asked(INCREMENTS + "@invariant\ndef p(self, after): return self.x == 0 or after.x != self.x")
    assert found.written == {"p": Shown(3, 3, 1)}  # one is done, the other reads (1) or has read and writes 1


def test_a_witness() -> None:
    claims = "@reachable\ndef p(self): return self.x == 2\n@reachable\ndef q(self): return self.x == 3"
    assert asked(INCREMENTS + claims).written == {"p": Shown(4, 4, 1), "q": None}


def test_faults_and_deadlocks_have_runs_too() -> None:
    found = asked("""
@thread
def t(self):
    self.m.lock()
    self.x = 1
    wait_until(self.y)
@thread
def u(self):
    self.m.lock()
    assert self.x == 0
""")
    assert found.deadlock == Shown(2, 2, 0)  # t: lock and write; but then u: lock is blocked, and so is t
    assert found.faults == {f"lock_misuse@{BEGIN + 7}": Shown(2, 2, 0)}  # u ends with the mutex, if it is first


ROUND = """
@thread
def t(self):
    self.x = 1
    while True:
        self.y = not self.y
"""


def test_what_can_always_be_reached() -> None:
    claims = "@always_reachable\ndef p(self): return self.y\n@always_reachable\ndef q(self): return self.x == 0"
    assert asked(ROUND + claims).written == {"p": None, "q": Shown(1, 1, 0)}


def test_progress_of_a_run_that_goes_round() -> None:
    claims = "@progress\ndef p(self): return self.y\n@progress\ndef q(self): return self.x == 0"
    assert asked(ROUND + claims).written == {"p": None, "q": Shown(1, 1)}


@pytest.mark.parametrize(("fairness", "found"), [("", Shown(0, 0)), ('(fairness="strong")', None)])
def test_a_thread_that_can_run_now_and_then(fairness: str, found: Shown | None) -> None:
    """Weak fairness owes `u` nothing: whenever `t` has turned `y` off, it cannot run."""
    body = "@thread\ndef u(self):\n    wait_until(self.y)\n    self.x = 1\n    while True:\n        self.x = 2\n"
    claim = f"@progress{fairness}\ndef p(self): return self.x > 0\n"
    turning = "@thread\ndef t(self):\n    while True:\n        self.y = not self.y\n"
    both = asked(turning + body.replace("    self.x = 1\n", "") + claim).written["p"]
    if found is None:
        assert both is None
    else:
        assert both is not None
        assert both.least == 0


def test_a_run_that_ends_elsewhere_makes_no_progress() -> None:
    assert asked(INCREMENTS + "@progress\ndef p(self): return self.x == 2").written == {"p": Shown(4, 4)}
    assert asked(INCREMENTS + "@progress\ndef p(self): return self.finished(self.t)").written == {"p": None}


WINDOWS = """
@operation()
def op(self, i):
    with window("w"):
        self.a[i] = 1
        if i == 0:
            return
        self.a[i] = 2
    self.x = 1
@thread
def t(self):
    self.op(0)
    self.op(1)
    self.y = True
"""
REACHED = """
@reachable
def {}(self): return {}
"""


@pytest.mark.parametrize(
    ("condition", "length"),
    [
        ('self.inside("w")', 2),  # op(0) leaves it with its first step
        ('self.inside("w", i=1)', 2),
        ('self.inside("w", i=0)', None),
        ("self.inside(self.op)", 2),
        ("self.inside(self.op, i=1) and not self.inside('w')", 3),
        ("self.inside(self.op) and self.x == 1", None),
        ("self.inside(self.op) and self.y", None),
        ("self.finished(self.t)", 5),
    ],
)
def test_where_a_window_and_an_operation_are_open(condition: str, length: int | None) -> None:
    found = asked(WINDOWS + REACHED.format("p", condition)).written["p"]
    assert (None if found is None else found.least) == length


def test_windows_are_left_by_break() -> None:
    found = asked("""
@thread
def t(self):
    for i in range(2):
        with window("outer"):
            self.x = 1
            with window("inner"):
                self.a[i] = 1
                self.a[i] = 2
                break
            self.x = 2
    self.y = True
@reachable
def p(self): return self.inside("inner")
@invariant
def q(self): return not self.inside("inner") or self.inside("outer")
@invariant
def r(self): return not (self.inside("outer") or self.inside("inner")) or not self.a[0] == 2
""")
    assert found.written == {"p": Shown(2, 2, 0), "q": None, "r": None}


def test_an_index_outside_reads_the_last_element_in_a_property() -> None:
    body = (
        "@thread\ndef t(self):\n    self.a[1] = 2\n    self.x = 3\n@invariant\ndef p(self): return self.a[self.x] < 2"
    )
    assert asked(body).written == {"p": Shown(2, 2, 0)}
    assert asked(body + " or self.a[0 - 1] == 2").written == {"p": None}


def test_a_parameter_is_bound_for_a_run() -> None:
    body = "@thread(instances=n)\ndef t(self):\n    self.x = self.n\n@reachable\ndef p(self): return self.x == 3"
    assert asked(body).written == {"p": None}
    assert asked(body, n=3).written == {"p": Shown(1, 1, 0)}


def test_an_operation_of_a_class_further_up() -> None:
    text = HEADER.replace("class M(Model)", "class Base(Model)")
    text += "    @operation()\n    def op(self, i):\n        self.x = i\n"
    text += "class Fix(Base):\n    @operation()\n    def op(self, i):\n        self.y = True\n        super().op(i)\n"
    text += "class M(Fix):\n    @operation()\n    def op(self, i):\n        Base.op(self, i)\n"
    text += "    @thread\n    def t(self):\n        self.op(2)\n"
    text += "    @reachable\n    def p(self): return self.x == 2\n    @reachable\n    def q(self): return self.y\n"
    oracle = Oracle(text)
    graph = oracle.graph(100)
    assert graph is not None
    assert answer(oracle, graph).written == {"p": Shown(1, 1, 0), "q": None}


def test_who_holds_a_lock() -> None:
    body = "@thread\ndef t(self):\n    self.m.lock()\n    self.m.unlock()\n@thread\ndef u(self):\n    self.m.lock()\n    self.m.unlock()\n"
    claims = "@reachable\ndef p(self): return any(self.m.held_by(t) for t in threads(self.u))\n"
    claims += (
        "@invariant\ndef q(self): return sum(1 for t in threads() if self.m.held_by(t)) == 0 or self.finished(self.t)\n"
    )
    assert asked(body + claims).written == {"p": Shown(1, 1, 0), "q": Shown(1, 1, 0)}
