"""The lines of a fix: which class it fixes, how its functions differ, and what each line undone makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutated import HEAD, check, load

from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module
from dio_mc.lang.model import Model
from dio_mc.mutation.fixed import ChangedLine, changed_data, fixed_by, lines_of_fix
from dio_mc.mutation.mutants import Mutant, mutants_of

HISTORY = Path(__file__).resolve().parents[2] / "models" / "history"
BROKEN = """\
class Broken(Model):
    x = Var(Range(0, 3))
    y = Var(Range(0, 3))
    lock = Mutex()

    @thread(instances=2)
    def t(self):
        self.go()

    @operation()
    def go(self):
OLD

    @operation()
    def other(self):
        self.y = 3

    @invariant
    def fine(self):
        return self.x < 3


class Fixed(Broken):
    @operation()
    def go(self):
NEW


expect(Broken, violates={"fine"})
"""


def fix(folder: Path, old: str, new: str) -> type[Model]:
    indented = ["".join(f"        {line}\n" for line in text.splitlines()).rstrip() for text in (old, new)]
    return load(folder, HEAD + BROKEN.replace("OLD", indented[0]).replace("NEW", indented[1]), "Fixed")


def lines(model: type[Model], before: type[Model] | None = None) -> list[ChangedLine]:
    before = before or fixed_by(model)
    assert before is not None
    return lines_of_fix(model, before)


def shown(found: list[ChangedLine]) -> list[tuple[str, str, str]]:
    return [(line.mark, line.text, line.undone or line.reason or f"with {line.partner}") for line in found]


ROWS = [
    ("a line added around super", "self.x = 1", "self.x = 0\nsuper().go()\nself.y = 1", [
        ("+", "self.x = 0", "without `self.x = 0`"),
        ("+", "self.y = 1", "without `self.y = 1`"),
    ]),
    ("a lock, undone with its release", "self.x = 1", "self.lock.lock()\nsuper().go()\nself.lock.unlock()", [
        ("+", "self.lock.lock()", "without `self.lock.lock()` and its release"),
        ("+", "self.lock.unlock()", "with 29"),
    ]),
    ("a lock that is no longer taken", "self.lock.lock()\nself.x = 1\nself.lock.unlock()", "self.x = 1", [
        ("-", "self.lock.lock()", "with `self.lock.lock()` and its release again"),
        ("-", "self.lock.unlock()", "with 15"),
    ]),
    ("another value", "self.x = 1", "self.x = 2",
     [("~", "self.x = 2  (was: self.x = 1)", "`self.x = 1` instead of `self.x = 2`")]),
    ("another condition", "if self.x == 1:\n    self.y = 1", "if self.x == 2:\n    self.y = 1",
     [("~", "if self.x == 2:  (was: if self.x == 1:)", "`if self.x == 1:` instead of `if self.x == 2:`")]),
    ("a condition put around what was there", "self.y = 1", "if self.x == 2:\n    self.y = 1",
     [("+", "if self.x == 2:", "`if self.x == 2:` taken as true")]),
    ("another order", "self.x = 1\nself.y = 1", "self.y = 1\nself.x = 1",
     [(">", "self.y = 1", "`self.y = 1` where it was")]),
    ("a line removed, not the last", "self.x = 1\nself.y = 1", "self.y = 1",
     [("-", "self.x = 1", "with `self.x = 1` again")]),
    ("a line removed, the last", "self.x = 1\nself.y = 1", "self.x = 1",
     [("-", "self.y = 1", "with `self.y = 1` again")]),
    ("all lines removed", "self.x = 1", "pass", [("-", "self.x = 1", "with `self.x = 1` again")]),
    ("one step", "self.x = 1\nself.y = 1", "with atomic():\n    self.x = 1\n    self.y = 1",
     [("+", "with atomic():", "`with atomic():` in several steps")]),
    ("a loop", "self.x = 1", "while self.y == 1:\n    self.x = 1",
     [("+", "while self.y == 1:", "`while self.y == 1:` does not test again")]),
    ("a function of its own", "self.x = 1", "super().go()\nself.other()",
     [("+", "self.other()", "without `self.other()`")]),
    ("nothing", "self.x = 1", '"""It says something."""\nself.x = 1', []),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_the_lines_in_which_a_function_differs(
    tmp_path: Path, old: str, new: str, expected: list[tuple[str, str, str]]
) -> None:
    assert shown(lines(fix(tmp_path, old, new))) == expected


@pytest.mark.parametrize(("old", "new"), [r[1:3] for r in ROWS if len(r[3]) == 1 and r[3][0][0] in "-~>"])
def test_a_single_line_undone_gives_what_was_there(tmp_path: Path, old: str, new: str) -> None:
    """The function of the mutant is that of the broken class, statement by statement."""
    import ast

    from dio_mc.mutation.rewriting import rewritten

    model = fix(tmp_path, old, new)
    (line,) = lines(model)
    ((body, changes),) = line.edits.items()
    text = ast.unparse(rewritten(body.tree, changes)).split("def go(self):\n")[1]
    code = [row.strip() for row in text.splitlines() if row.strip() != "pass"]
    assert code == [row.strip() for row in old.splitlines()]


def test_the_earlier_call_of_super_goes_where_it_went(tmp_path: Path) -> None:
    """`Middle.go` calls `Base.go`; restored in a class below, its ``super()`` must not call `Middle.go` again."""
    text = HEAD + (
        "class Base(Model):\n    x = Var(Range(0, 3))\n"
        "    @thread\n    def t(self):\n        self.go()\n"
        "    @operation()\n    def go(self):\n        self.x = self.x + 1\n"
        "    @invariant\n    def one(self):\n        return not self.at_rest() or self.x != 2\n"
        "class Middle(Base):\n"
        "    @operation()\n    def go(self):\n        super().go()\n        self.x = self.x + 1\n"
        "class Fixed(Middle):\n"
        "    @operation()\n    def go(self):\n        self.x = self.x + 1\n"
        'expect(Middle, violates={"one"})\n'
    )
    model = load(tmp_path, text, "Fixed")
    (line,) = lines(model)
    assert (line.mark, line.text) == ("-", "super().go()")
    (mutant,) = [m for m in mutants_of(model, before=fixed_by(model)) if m.line is not None]
    report = check(model, mutant)
    assert [p.name for p in report.properties if p.verdict == "VIOLATED"] == ["one"]


def test_which_class_is_fixed(tmp_path: Path) -> None:
    """The nearest base class that is stated to violate something; a named class need not be a base."""
    text = HEAD + BROKEN.replace("OLD", "        self.x = 3").replace("NEW", "        self.x = 2")
    further = "class Again(Fixed):\n    pass\nclass Beside(Broken):\n    pass\nclass Worse(Fixed):\n    pass\n"
    text += further + 'class Best(Worse):\n    pass\nexpect(Fixed, holds=True)\nexpect(Worse, violates={"fine"})\n'
    model = load(tmp_path, text, "Again")
    assert [name(fixed_by(model)), name(fixed_by(model, "Beside"))] == ["Broken", "Beside"]
    models = {m.__name__: m for m in load_module(tmp_path / "m.py").models}
    assert name(fixed_by(models["Best"])) == "Worse"
    assert fixed_by(models["Broken"]) is None
    with pytest.raises(ModelError) as caught:
        fixed_by(models["Fixed"], "Besides")
    assert str(caught.value) == (
        "dio-mc: error DIO208: no class `Besides` that Fixed could be a fix of\n  hint: did you mean `Beside`?"
    )


def name(model: type[Model] | None) -> str:
    return model.__name__ if model is not None else ""


def test_data_that_is_declared_anew_is_named(tmp_path: Path) -> None:
    text = HEAD + BROKEN.replace("OLD", "        self.x = 3").replace("NEW", "        self.x = 2")
    text = text.replace(
        "class Fixed(Broken):\n", "class Fixed(Broken):\n    y = Var(Range(0, 3), init=1)\n    z = Mutex()\n"
    )
    model = load(tmp_path, text, "Fixed")
    before = fixed_by(model)
    assert before is not None
    assert changed_data(model, before) == ["y"]


def test_undoing_comes_first_and_nothing_comes_twice(tmp_path: Path) -> None:
    model = fix(tmp_path, "self.x = 1", "self.y = 0\nsuper().go()\nself.y = 1")
    before = fixed_by(model)
    with_fix, plain = mutants_of(model, before=before), mutants_of(model)
    undone = [m for m in with_fix if m.line is not None]
    assert with_fix[: len(undone)] == undone
    assert [(m.kind, m.text) for m in undone] == [
        ("store", "without `self.y = 0`"),
        ("store", "without `self.y = 1`"),
    ]
    assert sorted(map(words, with_fix)) == sorted(map(words, plain))
    assert [m.number for m in with_fix] == list(range(len(plain)))


def words(mutant: Mutant) -> tuple[str, str, int]:
    return mutant.kind, mutant.text, mutant.span.line


def test_library_code_is_not_part_of_a_fix(tmp_path: Path) -> None:
    """Not even that of a class which the fix alone derives from."""
    text = HEAD + (
        "from dio_mc.kernel import Data, File, PageCache\n"
        "class Broken(File):\n"
        "    @thread\n    def t(self):\n        self.go()\n"
        "    @operation()\n    def go(self):\n        self.seen[0] = Data.NEW\n"
        "class Fixed(PageCache, Broken):\n"
        "    @operation()\n    def go(self):\n        self.seen[0] = self.buffered_read(0)\n"
    )
    model = load(tmp_path, text, "Fixed")
    assert [line.function for line in lines(model, fixed_by(model, "Broken"))] == ["go"]


def test_library_code_of_the_broken_class_is_not_part_of_a_fix() -> None:
    """The fallback of R04 calls buffered writes of the library; only the lines of the file are of the fix."""
    models = {m.__name__: m for m in load_module(HISTORY / "r04_dio_alloc_vs_buffered_read.py").models}
    assert {line.function for line in lines(models["FallsBack"])} == {"direct_write", "map_for_writeback", "flusher"}


def test_other_arguments_of_the_overridden_function() -> None:
    """The philosophers' fix calls what it overrides, with the forks in order."""
    toys = HISTORY.parent / "toys" / "philosophers.py"
    models = {m.__name__: m for m in load_module(toys).models}
    (line,) = lines(models["Ordered"])
    assert (line.mark, line.text) == (
        "~",
        "super().dine(min(first, second), max(first, second))  (was: super().dine(first, second))",
    )
