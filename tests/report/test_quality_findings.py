"""Findings: what makes a pass worth less than it looks. They are told, and fail a check only with --strict."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import Options, check_class
from dio_mc.checking.results import Report
from dio_mc.frontend.load import load_module
from dio_mc.mutation.mutants import mutants_of
from dio_mc.semantics.search import Budget

MODEL = """\
from z3 import And
from dio_mc import *

class M(Model):
    n = Var(Range(0, 3))
    other = Var(bool)
    seen = Var(bool, ghost=True)
    limit = Param(2, min=1, max=3)
    lock = Mutex()
    @operation()
    def used(self):
        self.n = 1
    @thread
    def t(self):
        self.used()
        wait_until(self.n != 0)
        self.other = True
        self.lock.lock()
        self.lock.unlock()
    @thread
    def u(self):
        wait_until(self.other)
        self.lock.lock()
        self.lock.unlock()
    @invariant
    def small(self):
        return self.n <= self.limit
"""


def findings(folder: Path, text: str, name: str = "M", options: Options | None = None) -> list[tuple[str, str, int]]:
    return [(f.code, f.message, int(f.where.rpartition(":")[2])) for f in report(folder, text, name, options).findings]


def report(folder: Path, text: str, name: str = "M", options: Options | None = None) -> Report:
    (folder / "m.py").write_text(text)
    (model,) = [m for m in load_module(folder / "m.py").models if m.__name__ == name]
    return check_class(model, options=options)


def coded(folder: Path, text: str, name: str = "M") -> list[str]:
    return [code for code, _, _ in findings(folder, text, name)]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


READ = MODEL.replace("return self.n <=", "return not (self.seen and self.other) and self.n <=")
CLEAN = READ.replace("        wait_until(self.n != 0)\n", "")


def test_a_clean_model(tmp_path: Path) -> None:
    assert findings(tmp_path, CLEAN) == []


def test_a_wait_that_never_waits(tmp_path: Path) -> None:
    told = ("DIO323", "`wait_until(self.n != 0)` never has to wait", line_of(READ, "wait_until(self.n"))
    assert findings(tmp_path, READ) == [told]


def test_a_ghost_that_no_property_reads(tmp_path: Path) -> None:
    text = CLEAN.replace("not (self.seen and self.other) and ", "")
    assert findings(tmp_path, text) == [("DIO322", "nothing reads `seen`", line_of(text, "seen = Var"))]


def test_nothing_is_said_of_reading_where_only_the_solver_knows(tmp_path: Path) -> None:
    quantified = "x = Int('x')\n        return ForAll([x], Implies(x > 9, x > self.n))"
    text = CLEAN.replace("return not (self.seen and self.other) and self.n <= self.limit", quantified)
    text = text.replace("from z3 import And", "from z3 import ForAll, Implies, Int")
    assert coded(tmp_path, text) == ["DIO324", "DIO310", "DIO314"]


def test_statements_that_never_run(tmp_path: Path) -> None:
    text = CLEAN.replace(
        "        self.used()\n",
        "        self.used()\n        if self.n > 2:\n            self.n = 0\n            self.n = 2\n",
    )
    line = line_of(text, "self.n = 0")
    assert findings(tmp_path, text) == [
        ("DIO320", f"no schedule runs `self.n = 0`, `self.n = 2` in `t` (line {line}, {line + 1})", line)
    ]


def test_coverage_is_told_only_of_a_complete_pass(tmp_path: Path) -> None:
    dead = READ.replace(
        "        self.used()\n", "        self.used()\n        if self.n > 2:\n            self.n = 0\n"
    )
    assert set(coded(tmp_path, dead)) == {"DIO320", "DIO323"}
    assert findings(tmp_path, dead, options=Options(Budget(max_states=2))) == []
    assert findings(tmp_path, dead.replace("self.n <= self.limit", "self.n * self.limit == 0")) == []


def test_an_operation_that_nothing_calls(tmp_path: Path) -> None:
    text = CLEAN.replace(
        "    @thread\n    def t", "    @operation()\n    def idle(self):\n        self.n = 0\n    @thread\n    def t"
    )
    assert findings(tmp_path, text) == [("DIO321", "nothing calls the operation `idle`", line_of(text, "def idle"))]
    patched = text + "\nclass P(M):\n    @operation()\n    def used(self):\n        self.idle()\n"
    assert coded(tmp_path, patched) == coded(tmp_path, patched, "P") == []


def test_a_parameter_that_nothing_uses(tmp_path: Path) -> None:
    text = CLEAN.replace("self.limit", "2")
    assert findings(tmp_path, text) == [
        ("DIO324", "nothing uses the parameter `limit`", line_of(text, "limit = Param"))
    ]
    assert (
        coded(
            tmp_path,
            CLEAN.replace("self.limit", "2")
            .replace("Range(0, 3)", "Range(0, limit)")
            .replace("    n =", "    limit = Param(2)\n    n =")
            .replace("    limit = Param(2, min=1, max=3)\n", ""),
        )
        == []
    )


def test_a_patch_is_not_told_what_its_base_was(tmp_path: Path) -> None:
    text = READ + "\nclass P(M):\n    @operation()\n    def used(self):\n        self.n = 2\n"
    assert (coded(tmp_path, text), coded(tmp_path, text, "P")) == (["DIO323"], [])
    abstract = text.replace("class M(Model)", "class M(Model, abstract=True)")
    assert coded(tmp_path, abstract, "P") == ["DIO323"]


# --- locks that nobody waits for --------------------------------------------------------------------------------------

LOCK = """\
from dio_mc import *

class M(Model):
    a = Mutex()
    b = Mutex()
    n = Var(Range(0, 3))
    @thread(instances=2)
    def t(self):
        self.a.lock()
        self.b.lock()
        seen = self.n
        self.n = seen + 1
        self.b.unlock()
        self.a.unlock()
    @invariant
    def nothing_lost(self):
        return not self.at_rest() or self.n == 2
"""
IDLE = [("DIO325", "nobody ever waits for the lock `b`", 5)]
LOCKS = [
    ("inside another", LOCK, IDLE),
    ("waited for", LOCK.replace("        self.a.lock()\n", "").replace("        self.a.unlock()\n", ""), []),
    ("for reading only", LOCK.replace("b = Mutex", "b = RWSem").replace("b.lock", "b.down_read").replace("b.unlock", "b.up_read"), IDLE),
    ("never taken", LOCK.replace("        self.b.lock()\n", "").replace("        self.b.unlock()\n", ""), []),
    ("a property asks who holds it", LOCK.replace("or self.n == 2", "or self.n == 2 and not any(self.b.held_by(x) for x in threads())"), []),
    ("somebody asks whether it is held", LOCK.replace("        seen =", "        if self.b.is_locked():\n            self.n = self.n\n        seen ="), []),
    ("tried elsewhere", LOCK + "    @thread\n    def u(self):\n        got = self.b.trylock()\n        if got:\n            self.b.unlock()\n", []),
    ("waited for from outside", LOCK + "    @thread\n    def u(self):\n        wait_until(not self.b.is_locked())\n", []),
    ("with a choice in the step", LOCK.replace("        self.b.lock()\n", "        with atomic():\n            x = choose(0, 1)\n            self.b.lock()\n"), []),
    ("a patch that does not name it", LOCK + "\nclass P(M):\n    pass\n", IDLE),
    ("in-flight IO that is always over", LOCK.replace("b = Mutex()", "b = DrainCounter()").replace("b.lock", "b.begin").replace("self.b.unlock()", "self.b.end()\n        self.b.wait()"), IDLE),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in LOCKS], ids=[row[0] for row in LOCKS])
def test_locks_that_nobody_waits_for(tmp_path: Path, text: str, expected: list[tuple[str, str, int]]) -> None:
    assert [f for f in findings(tmp_path, text) if f[0] in ("DIO320", "DIO323", "DIO325")] == expected


def test_a_lock_that_nobody_waits_for_can_be_left_out(tmp_path: Path) -> None:
    """What the finding says, tried: the mutant without the lock holds. Without the other one it does not."""
    (tmp_path / "m.py").write_text(LOCK)
    (model,) = load_module(tmp_path / "m.py").models
    verdicts = {m.text: check_class(m.of(model)).verdict for m in mutants_of(model) if m.kind == "lock"}
    assert verdicts == {
        "without `self.a.lock()` and its release": "HOLDS",  # the two threads still exclude each other by b
        "without `self.b.lock()` and its release": "HOLDS",
    }
    only_b = LOCK.replace("        self.a.lock()\n", "").replace("        self.a.unlock()\n", "")
    (tmp_path / "m.py").write_text(only_b)
    (model,) = load_module(tmp_path / "m.py").models
    assert [check_class(m.of(model)).verdict for m in mutants_of(model) if m.kind == "lock"] == ["VIOLATED"]


TRUE = {
    "nothing reads `cached`",  # chunks.py: the story is about who fills it
    "nothing reads `slot`",  # ext3_truncate.py: placeholder_truncate.py does
    "nobody ever waits for the lock `iolock`",  # xfs_own_locking.py: direct IO takes it shared, and nobody else takes it
}
"""What is told of the shipped models, and is so."""


@pytest.mark.parametrize("folder", ["seed", "toys"])
def test_the_shipped_models_have_none_of_these(folder: str) -> None:
    from dio_mc.checking.expectations import bindings_of

    models = Path(__file__).resolve().parents[2] / "models" / folder
    for file in sorted(models.glob("*.py")):
        for model in load_module(file, allow_empty=True).models:
            for params, _ in bindings_of(model, {}):
                told = [
                    f
                    for f in check_class(model, params).findings
                    if f.code.startswith("DIO32") and f.message not in TRUE
                ]
                assert told == [], file


ONCE = """\
from dio_mc import *

class M(Model):
    x = Var(bool)
    y = Var(bool)
    @thread
    def t(self):
        self.x = True
    @thread(daemon=True)
    def flusher(self):
        BODY
    @invariant
    def p(self):
        return self.y or not self.y or self.x
"""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("self.y = True", True),
        ("while not self.y:\n            self.y = True", True),
        ("while True:\n            self.y = True", False),
        ("self.y = True\n        return", False),
    ],
)
def test_a_daemon_that_ends_is_told(tmp_path: Path, body: str, told: bool) -> None:
    (tmp_path / "m.py").write_text(ONCE.replace("BODY", body))
    (model,) = load_module(tmp_path / "m.py").models
    found = [f.message for f in check_class(model).findings if f.code == "DIO326"]
    words = (
        "the daemon `flusher` ends after one round: `while True:` makes it go on, a `return` at the end says that once"
    )
    assert [message.startswith(words) for message in found] == [True] * told


@pytest.mark.parametrize("above", ["(M)", "(M, abstract=True)"], ids=["its base is checked too", "an abstract base"])
def test_a_daemon_that_ends_is_told_of_every_run(tmp_path: Path, above: str) -> None:
    """Each of their verdicts is worth less by it."""
    text = ONCE.replace("BODY", "self.y = True").replace("(Model)", above.replace("(M", "(Model"))
    assert "DIO326" in coded(tmp_path, text + "\nclass N(M):\n    pass\n", "N")


ABOVE = """\
from dio_mc import *

class M(BASE):
    never = Var(bool)
    lock = Mutex()
    unused = Param(3)
    x = Var(bool)
    @operation
    def uncalled(self):
        self.x = False
    @thread
    def t(self):
        self.lock.lock()
        self.x = True
        self.lock.unlock()
        with window("one step"):
            self.x = True
    @invariant
    def p(self):
        return self.x or not self.at_rest()
    @invariant
    def q(self):
        return not self.inside("one step") or self.x

class N(ABOVE):
    pass
"""


@pytest.mark.parametrize(
    ("base", "above", "told"),
    [("(Model, abstract=True)", "M", True), ("", "M, Model", True), ("(Model)", "M", False)],
    ids=["abstract", "a mixin", "checked there"],
)
def test_a_base_that_is_never_checked_alone_is_judged_with_each_class(
    tmp_path: Path, base: str, above: str, told: bool
) -> None:
    text = ABOVE.replace("(BASE)", base).replace("ABOVE", above)
    places = {code: line for code, _, line in findings(tmp_path, text, "N")}
    for code, part in {
        "DIO321": "@operation", "DIO322": "never = ", "DIO324": "unused = ", "DIO325": "lock = ", "DIO330": "def q"
    }.items():  # fmt: skip
        line = places.get(code)
        assert (line is not None) == told, code
        assert line is None or abs(line - line_of(text, part)) <= 1, code


PATCHED = """\
from dio_mc import *

class M(Model):
    x = Var(bool)
    never = Var(bool, ghost=True)
    lock = Mutex()
    @thread
    def t(self):
        self.lock.lock()
        self.x = True
        self.lock.unlock()
    @invariant
    def p(self):
        return self.x or not self.at_rest()

class Patch(M):
    MORE
"""


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ("pass", {"DIO322", "DIO325"}),
        ("@invariant\n    def q(self):\n        return not self.never or self.x", {"DIO325"}),
        (
            "@thread\n    def u(self):\n        self.lock.lock()\n        self.x = False\n        self.lock.unlock()",
            {"DIO322"},
        ),
    ],
)
def test_a_subclass_silences_what_it_needs_and_no_more(tmp_path: Path, more: str, codes: set[str]) -> None:
    (tmp_path / "m.py").write_text(PATCHED.replace("MORE", more))
    model = load_module(tmp_path / "m.py").models[0]
    assert {f.code for f in check_class(model).findings} & {"DIO322", "DIO325"} == codes


STILL = """\
from dio_mc import *

class M(Model):
    x = Var(bool)
    seen = Var(Range(0, 3)INIT)
    @thread(daemon=True)
    def t(self):
        while True:
            wait_until(self.x)
            STEP
    @invariant
    def p(self):
        return self.seen < 2 or self.seen == 3
"""


@pytest.mark.parametrize(
    ("init", "step", "codes"),
    [
        ("", "self.x = False", {"DIO328", "DIO329"}),
        ("", "self.seen = 1", {"DIO329"}),
        (", init=any", "self.x = False", {"DIO329"}),
    ],
)
def test_nothing_happens_and_nothing_is_written(tmp_path: Path, init: str, step: str, codes: set[str]) -> None:
    (tmp_path / "m.py").write_text(STILL.replace("INIT", init).replace("STEP", step).replace("< 2 or", "< 4 or"))
    (model,) = load_module(tmp_path / "m.py").models
    assert {f.code for f in check_class(model).findings} & {"DIO328", "DIO329"} == codes


TWO = """\
from dio_mc import *

class Left(Model, abstract=True):
    x = Var(Range(0, 3))
    @invariant
    def small(self):
        return self.x < 3

class Right(Model, abstract=True):
    @thread
    def writer(self):
        self.x = 1
    @invariant
    def small(self):
        return self.x < 1
"""

SMALL = "`small` of Right is not checked: Left has one, too, and comes first"


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        ("class M(Left, Right):\n    pass\n", [("m.py:17", SMALL)]),
        (
            "class M(Right, Left):\n    pass\n",
            [("m.py:17", "`small` of Left is not checked: Right has one, too, and comes first")],
        ),
        ("class M(Left, Right):\n    @invariant\n    def small(self):\n        return self.x < 2\n", []),
        ("class A(Left, Right, abstract=True):\n    pass\n\nclass M(A):\n    pass\n", [("m.py:17", SMALL)]),
        (
            "class A(Left, Right):\n    pass\n\nclass M(A):\n    @thread\n    def writer(self):\n        self.x = 2\n",
            [],
        ),
    ],
)
def test_a_property_that_another_base_hides(tmp_path: Path, classes: str, told: list[tuple[str, str]]) -> None:
    (tmp_path / "m.py").write_text(f"{TWO}\n{classes}")
    model = load_module(tmp_path / "m.py").models[-1]
    found = [f for f in check_class(model).findings if f.code == "DIO332"]
    assert [(f.where.rpartition("/")[2], f.message) for f in found] == told


def test_a_thread_that_another_base_hides(tmp_path: Path) -> None:
    text = TWO.replace("class Left(Model, abstract=True):\n    x = Var(Range(0, 3))\n    @invariant\n", "")
    text = text.replace("    def small(self):\n        return self.x < 3\n", "", 1)
    text += "    x = Var(Range(0, 3))\n\nclass Other(Model, abstract=True):\n    @thread\n    def writer(self):\n        pass\n"
    (tmp_path / "m.py").write_text(f"{text}\nclass M(Right, Other):\n    pass\n")
    (model,) = load_module(tmp_path / "m.py").models
    told = [f.message for f in check_class(model).findings if f.code == "DIO332"]
    assert told == ["`writer` of Other does not run: Right has one, too, and comes first"]


INSIDE = """\
from dio_mc import *

class M(Model):
    x = Var(Range(0, 3))
    @operation()
    def write(self):
        self.x = 1
        BODY
    @thread
    def t(self):
        self.write()
        with window("w"):
            self.x = 2
        self.x = 3
    @invariant
    def p(self):
        return not self.inside(ASKED) or self.x < 3
"""


@pytest.mark.parametrize(
    ("body", "asked", "told"),
    [
        ("pass", 'self.write', ["`inside(write)` in `p` is never true: no thread stands within one step"]),
        ("self.x = 2", "self.write", []),
        ("pass", '"w"', ['`inside("w")` in `p` is never true: no thread stands within one step']),
    ],
)  # fmt: skip
def test_what_is_one_step_is_entered_and_nobody_stands_in_it(
    tmp_path: Path, body: str, asked: str, told: list[str]
) -> None:
    (tmp_path / "m.py").write_text(INSIDE.replace("BODY", body).replace("ASKED", asked))
    (model,) = load_module(tmp_path / "m.py").models
    report = check_class(model)
    assert report.verdict == "HOLDS"
    assert [f.message for f in report.findings if f.code == "DIO330"] == told


def test_a_patch_that_makes_a_window_one_step_is_not_told(tmp_path: Path) -> None:
    patch = "\nclass P(M):\n    @operation()\n    def write(self):\n        with atomic():\n            self.x = 2\n"
    text = INSIDE.replace("BODY", "self.x = 2").replace("ASKED", "self.write") + patch
    assert "DIO330" not in coded(tmp_path, text, "P")


def test_inside_is_true_where_one_call_of_two_takes_several_steps(tmp_path: Path) -> None:
    """The other one is in an atomic block, where nobody else can run."""
    text = INSIDE.replace("BODY", "self.x = 2").replace("ASKED", "self.write")
    text += "    @thread\n    def u(self):\n        with atomic():\n            self.write()\n"
    assert "DIO330" not in coded(tmp_path, text)
    text = text.replace("        self.x = 1\n        self.x = 2\n", "        self.x = 1\n")
    assert "DIO330" in coded(tmp_path, text)


ASKED = """\
from dio_mc import *

class M(Model):
    n = Var(Range(0, 3))
    a = Array(bool, size=2)
    m = Array(bool, size=(2, 2))
    @thread
    def t(self):
        self.n = 3
        self.a[1] = True
        self.m[1][1] = True
    @invariant
    def p(self):
        return BODY
"""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("not self.a[self.n] or self.n > 0", ["`a` in `p` may be outside of 0..1"]),
        ("self.n >= 2 or not self.a[self.n] or self.n > 0", []),
        ("not (self.n < 2 and self.a[self.n]) or self.n > 0", []),
        ("not (self.n < 3 and self.a[self.n]) or self.n > 0", ["`a` in `p` may be outside of 0..1"]),
        ("(not self.a[self.n] if self.n < 2 else True) or self.n > 0", []),
        ("Implies(self.n < 2, not self.a[self.n]) or self.n > 0", []),
        ("all(not self.m[i][self.n - 1] for i in range(2)) or self.n > 0", ["`m` in `p` may be outside of 0..1"]),
        ("not any(self.a[i] for i in range(2)) or self.n > 0", []),
    ],
)
def test_an_index_outside_of_its_array_in_a_property(tmp_path: Path, body: str, told: list[str]) -> None:
    text = "from z3 import Implies\n" * ("Implies" in body) + ASKED.replace("BODY", body)
    found = [message for code, message, _ in findings(tmp_path, text) if code == "DIO331"]
    assert found == [f"an index of {words}: it reads the last element then" for words in told]
