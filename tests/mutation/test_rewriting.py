"""A mutant is a class of its own: `super()` leads where it did, inherited code can be changed, the model stays."""

from __future__ import annotations

import ast
from pathlib import Path

from mutated import HEAD, LOCKED, body, check, listed, load, named

from dio_mc.checking.driver import check_class
from dio_mc.frontend.build import build
from dio_mc.ir.printer import print_program
from dio_mc.mutation.mutants import Recipe, mutants_of
from dio_mc.mutation.rewriting import regrown, rewritten

CHAIN = (
    HEAD
    + """\
class Base(Model, abstract=True):
    x = Var(Range(0, 3))
    @thread
    def t(self):
        self.go()
    @operation()
    def go(self):
        self.x = 1

class Middle(Base):
    @operation()
    def go(self):
        super().go()
        self.x = 2

class Final(Middle):
    @operation()
    def go(self):
        super().go()
        self.x = 3
    @reachable
    def one(self):
        return self.x == 1
    @reachable
    def two(self):
        return self.x == 2
    @reachable
    def three(self):
        return self.x == 3
"""
)


def test_nothing_changed_is_the_same_program(tmp_path: Path) -> None:
    model = load(tmp_path, CHAIN, "Final")
    clone = regrown(model, [], {})
    assert clone is not model
    assert print_program(build(clone).program) == print_program(build(model).program)
    assert clone.__dio_place__ == model.__dio_place__


def test_each_function_of_a_chain(tmp_path: Path) -> None:
    model = load(tmp_path, CHAIN, "Final")
    for value, missed in ((1, "one"), (2, "two"), (3, "three")):
        report = check(model, named(model, f"without `self.x = {value}`"))
        assert [p.name for p in report.properties if p.verdict == "VIOLATED"] == [missed]
    assert check_class(model).verdict == "HOLDS"


def test_a_class_further_up_by_its_name(tmp_path: Path) -> None:
    """`Base.go(self)` passes Middle by; the changed function is the one that is run."""
    text = CHAIN.replace(
        "    def go(self):\n        super().go()\n        self.x = 3",
        "    def go(self):\n        Base.go(self)\n        self.x = 3",
    )
    text = text.replace("    @reachable\n    def two(self):\n        return self.x == 2\n", "")
    model = load(tmp_path, text, "Final")
    assert check_class(model).verdict == "HOLDS"
    assert "without `self.x = 2`" not in [text for _, text in listed(model)]
    report = check(model, named(model, "without `self.x = 1`"))
    assert [p.name for p in report.properties if p.verdict == "VIOLATED"] == ["one"]


def test_the_model_and_its_neighbours_are_left_alone(tmp_path: Path) -> None:
    model = load(tmp_path, LOCKED)
    before = print_program(build(model).program)
    for mutant in mutants_of(model):
        assert print_program(build(mutant.of(model)).program) != before
    assert print_program(build(model).program) == before


def test_a_recipe_makes_the_same_class_elsewhere(tmp_path: Path) -> None:
    model = load(tmp_path, LOCKED)
    for mutant in mutants_of(model):
        made = Recipe(mutant.number, False).of(model)
        assert build(made).program.digest == build(mutant.of(model)).program.digest


def test_inherited_code(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text(body("self.x = 1").replace("class M(Model)", "class Base(Model, abstract=True)"))
    model = load(tmp_path, HEAD + "from base import Base\nclass M(Base):\n    pass\n")
    assert listed(model) == []
    assert listed(model, inherited=True) == [("store", "without `self.x = 1`")]


def test_the_library_is_inherited_code_and_the_language_is_not(tmp_path: Path) -> None:
    text = (
        HEAD
        + "from dio_mc.kernel import PageCache\nclass M(PageCache):\n    @thread\n    def t(self):\n        self.buffered_write(0, 1)\n"
    )
    model = load(tmp_path, text)
    stems = {Path(m.span.file).stem for m in mutants_of(model, inherited=True)}
    assert stems == {"pagecache"}


def test_an_empty_block_gets_pass() -> None:
    tree = ast.parse("def f(self):\n    if self.x:\n        self.y = 1\n    else:\n        self.z = 1\n").body[0]
    assert isinstance(tree, ast.FunctionDef)
    branch = tree.body[0]
    assert isinstance(branch, ast.If)
    changed = rewritten(tree, {branch.body[0]: [], branch.orelse[0]: []})
    assert ast.unparse(changed) == "def f(self):\n    if self.x:\n        pass"
    assert ast.unparse(rewritten(tree, {branch: []})) == "def f(self):\n    pass"
    assert "self.y = 1" in ast.unparse(tree)
