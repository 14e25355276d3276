"""Programs on which dio-mc once differed from the oracle, as small as they get; and what must be refused instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from checker import compile_model
from compare import difference

from dio_mc.errors import ModelError

HEADER = """\
from dataclasses import dataclass

from dio_mc import *


@dataclass(frozen=True)
class Rec:
    n: Range(0, 2)
    ok: bool = False


@dataclass(frozen=True)
class Two:
    c: Array(Range(0, 2), size=2)


class M(Model):
    x = Var(Range(0, 2))
    y = Var(Range(0, 2))
    a = Array(Range(0, 2), size=2)
    flag = Var(bool)
"""

OTHER = """
    @thread
    def other(self):
        {}
"""


def thread(*lines: str, other: str = "self.x, self.y = 1, 1") -> str:
    body = "".join(f"        {line}\n" for line in lines)
    return f"\n    @thread\n    def t(self):\n{body}" + OTHER.format(other)


def operation(name: str, parameters: str, *lines: str, options: str = "") -> str:
    body = "".join(f"        {line}\n" for line in lines)
    return f"\n    @operation({options})\n    def {name}(self{parameters}):\n{body}"


AGREED = {
    "a record is passed by value": "    r = Var(Rec)\n"
    + operation("op", ", rec", "self.x = 1", "self.y = rec.n")
    + thread("self.op(self.r)", other="self.r = Rec(2)"),
    "an array is passed by value": operation("op", ", arr", "self.x = 1", "self.y = arr[0]")
    + thread("self.op(self.a)", other="self.a[0] = 2"),
    "all arguments of a call are read in one step": operation("op", ", i, j", "self.a[0] = i", "self.a[1] = j")
    + thread("self.op(self.x, self.y)"),
    "both bounds of a loop are read in one step": thread(
        "for i in range(self.x, self.y):", "    self.a[i] = 1", other="self.x, self.y = 0, 1"
    ),
    "the arguments of a lock's method are read in its step": "    rl = RangeLock(size=2)\n"
    + thread("self.rl.lock(self.x, 2)", "self.rl.unlock(self.x, 2)"),
    "a part of a range may be released by another thread": "    rl = RangeLock(size=2)\n"
    + thread(
        "self.rl.lock(0, 2)",
        "self.rl.hand_over(1, 2)",
        "self.x = 1",
        "self.rl.unlock(0, 1)",
        "self.rl.lock(1, 2)",
        "self.rl.unlock(1, 2)",
        other="self.rl.unlock_non_owner(1, 2)",
    ),
    "an array that is looped over is read once": thread(
        "for v in self.a:", "    self.x = v", other="self.a[0], self.a[1] = 1, 1"
    ),
    "a tuple that is looped over is read once": thread("v = self.x", "for w in (1, v):", "    v = 2", "    self.y = w"),
    "chained targets get one value in one step": thread("v = w = self.x", "self.flag = v == w"),
    "chained shared targets are written in one step": thread(
        "self.x = self.y = 2", other="self.flag = self.x == self.y"
    ),
    "a condition that cannot hold is a step all the same": thread(
        "self.flag = True", "if self.x == 7:", "    self.y = 1"
    ),
    "an assert that cannot fail is a step all the same": thread("self.flag = True", "assert self.x != 9", "self.y = 1"),
    "a comparison that cannot hold reads its index": thread("v = self.x + 5", "self.flag = self.a[v] == 9"),
    "what is a step does not hang on inferred types": thread("v = 0", "w = self.x if v == 2 else 1", "self.a[0] = w"),
    "None is not an index": "    o = Var(Range(1, 1) | None)\n" + thread("self.y = self.a[self.o]", other="self.o = 1"),
    "None is not an index of a target": "    o = Var(Range(1, 1) | None)\n"
    + thread("self.a[self.o] = 2", other="self.o = 1"),
    "a thread may assign its parameter": "\n    @thread(instances=2)\n    def t(self, k):\n"
    "        k: Range(0, 2) = k + 1\n        self.a[k - 1] = k\n",
    "a thread may assign a constant to its parameter": "\n    @thread(instances=2)\n    def t(self, k):\n"
    "        self.x = k\n        k = 2\n        self.y = k\n",
    "a spawned operation may assign its parameter": operation("op", ", i", "self.x = i", "i = 2", "self.y = i")
    + thread("spawn(self.op, 0)"),
    "slots for all that may spawn": operation("first", "", "self.x = 1", "spawn(self.second)")
    + operation("second", "", "self.y = 1", "self.y = 2")
    + "\n    @thread(instances=2)\n    def t(self):\n        spawn(self.first)\n",
    "an array inside a local record": "    q = Var(Two)\n"
    + thread(
        "v = self.q", "w = self.x % 2", "self.y = v.c[w]", "self.q.c[w] = 2", "self.flag = v == self.q", "self.q = v"
    ),
}

REFUSED = {
    "a choice goes to one target": (thread("v = w = choose(0, 1)", "self.flag = v == w"), "DIO102"),
    "an array that is not a variable has no index fault": (thread("v = self.a", "w = self.x + 1", "self.y = v[w]"), "DIO103"),
    "nor has a tuple": (thread("v = self.x + 1", "self.y = (1, 2)[v]"), "DIO103"),
    "a parameter that grows without bound": (
        "\n    @thread(instances=2)\n    def t(self, k):\n        k = k + 1\n        self.a[k - 1] = k\n", "DIO105"
    ),
    "an annotation too small for what is passed": (
        "\n    @thread(instances=2)\n    def t(self, k):\n        k: Range(0, 0) = 0\n        self.x = k\n", "DIO116"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AGREED)
def test_agreed(name: str, tmp_path: Path) -> None:
    assert difference(HEADER + AGREED[name], tmp_path, "m") == ""


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    body, code = REFUSED[name]
    with pytest.raises(ModelError) as raised:
        compile_model(HEADER + body, tmp_path, "m")
    assert code in [d.code for d in raised.value.diagnostics]
