"""Edits, one by one: what is written says the same as what was tried."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from fix_models import FLUSH, LOST

from dio_mc import lang
from dio_mc.errors import DioError
from dio_mc.fix.edit import KINDS, both
from dio_mc.fix.operators import edits_of
from dio_mc.fix.pieces import calls, conditions, opposite, stores
from dio_mc.fix.sections import WAYS
from dio_mc.fix.surroundings import Surroundings
from dio_mc.fix.writing import NAME, difference, subclass_text
from dio_mc.frontend.build import Like, build
from dio_mc.frontend.load import load_module
from dio_mc.lang.locks import Lock
from dio_mc.lang.model import Model

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    ("models/seed/ext3_2_6_18.py", "Ext3"),
    ("models/history/r13_writeback_bit_before_conversion.py", "EndsWritebackFirst"),
    ("models/history/r56_page_not_yet_filled.py", "FoundIsEnough"),
]


def model_of(file: str, name: str) -> type[Model]:
    return next(m for m in load_module(ROOT / file).models if m.__name__ == name)


@pytest.mark.parametrize(("file", "name"), SHIPPED)
def test_the_written_class_is_the_one_that_was_tried(tmp_path: Path, file: str, name: str) -> None:
    """Every fortieth edit: the program of the file is that of the edit."""
    model = model_of(file, name)
    compared = 0
    for number, edit in enumerate(edits_of(Surroundings(model))[::40]):
        try:
            tried = build(edit.of(model)).program
        except DioError:
            continue
        written = tmp_path / f"written_{number}.py"
        written.write_text(subclass_text(model, edit, (), "A fix."))
        (fixed,) = load_module(written).models
        assert fixed.__name__ == NAME.format(name)
        found = build(fixed).program
        assert [t.blocks for t in found.templates] == [t.blocks for t in tried.templates], edit.text
        assert found.variables == tried.variables
        compared += 1
    assert compared > 2


@pytest.mark.parametrize(("file", "name"), SHIPPED[:2])
def test_threads_that_an_edit_does_not_reach_need_not_be_compiled(file: str, name: str) -> None:
    model = model_of(file, name)
    around, before = Surroundings(model), build(model).program
    for edit in edits_of(around)[::90]:
        changed = [body.function for body in edit.functions]
        same = frozenset(b.name for b in around.bodies if b.thread and not around.reaches(b, changed))
        try:
            whole = build(edit.of(model)).program
        except DioError:
            continue
        assert build(edit.of(model), like=Like(before, same)).program == whole


def test_the_authors_lines_stay_as_they_are(tmp_path: Path) -> None:
    """A difference adds and moves lines, and touches no other."""
    (tmp_path / "m.py").write_text(FLUSH)
    (model,) = load_module(tmp_path / "m.py").models
    for edit in edits_of(Surroundings(model)):
        if edit.kind in ("wait", "call", "store") or (edit.kind == "section" and not edit.declares):
            lines = difference(model, edit).splitlines()[2:]
            assert not [line for line in lines if line.startswith("-")], edit.text


def test_every_kind_is_made(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(FLUSH)
    (model,) = load_module(tmp_path / "m.py").models
    kinds = {e.kind for e in edits_of(Surroundings(model))}
    kinds |= {e.kind for e in edits_of(Surroundings(model_of(*SHIPPED[0])))}
    assert kinds == set(KINDS)


def test_a_move_stays_in_its_loops(tmp_path: Path) -> None:
    """What ran every round still does."""
    (tmp_path / "m.py").write_text(FLUSH)
    (model,) = load_module(tmp_path / "m.py").models
    for edit in edits_of(Surroundings(model)):
        if edit.kind == "move" and edit.function == "writeback":
            (tree,) = edit.trees().values()
            assert isinstance(tree.body[-1], ast.While)
            assert len(tree.body) == 1


def test_two_edits_together(tmp_path: Path) -> None:
    """Both are there; two that replace the same expression do not go together."""
    (tmp_path / "m.py").write_text(FLUSH)
    (model,) = load_module(tmp_path / "m.py").models
    edits = edits_of(Surroundings(model))
    wait = next(e for e in edits if e.kind == "wait" and e.function == "direct_write")
    section = next(e for e in edits if e.kind == "section" and e.function == "direct_write")
    pair = both(wait, section, (0, 1))
    assert pair is not None
    assert pair.size == wait.size + section.size
    text = ast.unparse(next(iter(pair.trees().values())))
    assert "wait_until" in text
    assert "self.new_mutex.unlock()" in text
    constants = [e for e in edits_of(Surroundings(model_of(*SHIPPED[0]))) if e.kind == "constant"]
    assert both(constants[0], constants[0], (0, 0)) is None


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("self.dirty", "not self.dirty"),
        ("not self.dirty", "self.dirty"),
        ("self.slot == Slot.ABSENT", "self.slot != Slot.ABSENT"),
        ("a < b", "not a < b"),
        ("a is None", "a is not None"),
        ("a or b", "not (a or b)"),
    ],
)
def test_opposites(text: str, other: str) -> None:
    assert opposite(text) == other


def test_a_lock_is_not_taken_twice(tmp_path: Path) -> None:
    text = LOST.replace("        seen = self.count\n", "        self.lock.lock()\n        seen = self.count\n")
    (tmp_path / "m.py").write_text(text.replace("seen + 1\n", "seen + 1\n        self.lock.unlock()\n"))
    (model,) = load_module(tmp_path / "m.py").models
    sections = [e for e in edits_of(Surroundings(model)) if e.kind == "section" and e.lock == "lock"]
    assert [e.text for e in sections] == [
        "`self.lock.lock()` around `seen = self.count`",
        "`self.lock.lock()` around `seen = self.count` .. `self.count = seen + 1`",
        "`self.lock.lock()` around `self.count = seen + 1`",
    ]


def test_a_decorator_that_names_a_parameter_of_its_class(tmp_path: Path) -> None:
    """``instances=pages`` is ``OneChunk.pages`` in another class."""
    model = model_of("models/seed/chunks.py", "OneChunk")
    edit = next(e for e in edits_of(Surroundings(model)) if e.function == "pdflush")
    text = subclass_text(model, edit, (), "A fix.")
    assert "    @thread(instances=OneChunk.pages, daemon=True)\n" in text
    (tmp_path / "written.py").write_text(text)
    (fixed,) = load_module(tmp_path / "written.py").models
    assert [t.blocks for t in build(fixed).program.templates] == [
        t.blocks for t in build(edit.of(model)).program.templates
    ]


def test_super_is_the_class_that_was_meant(tmp_path: Path) -> None:
    """A subclass of the class that calls it would call itself."""
    model = model_of("models/history/r13_writeback_bit_before_conversion.py", "EndsWritebackFirst")
    edit = next(e for e in edits_of(Surroundings(model)) if e.function == "end_page_writeback" and e.kind == "move")
    text = subclass_text(model, edit, (), "A fix.")
    assert "        PageCache.end_page_writeback(self, i)\n" in text
    assert "super" not in text.rpartition('"""')[2]


def test_the_power_supply_and_the_drive_are_not_mended() -> None:
    from dio_mc.fix.surroundings import Surroundings
    from dio_mc.frontend.load import load_module

    path = Path(__file__).resolve().parents[2] / "models" / "history" / "r59_atomic_write_torn_by_a_crash.py"
    model = next(cls for cls in load_module(path).models if cls.__name__ == "RemapsOneByOne")
    names = {body.name for body in Surroundings(model).editable}
    assert names >= {"atomic_write", "end_cow", "bio_write"}
    assert not names & {"power", "power_on", "drive"}
    pieces = [*conditions(Surroundings(model)), *stores(Surroundings(model)), *calls(Surroundings(model))]
    texts = " ".join(piece.text for piece in pieces)
    assert "remapped" in texts
    assert not any(word in texts for word in ("crash", "power", "drive", "cache", "media"))


POWER = """\
from dio_mc import Var, invariant, operation, thread, wait_until
from dio_mc.kernel import CachedDisk, Data

class Renames(CachedDisk):
    durable = ("renamed",)
    renamed = Var(bool)
    @thread
    def program(self):
        if not self.renamed:
            self.replace()
    @operation()
    def replace(self):
        self.renamed = True
        self.bio_write(0, Data.NEW)
    @invariant
    def new_or_old(self):
        return not (self.recovered() and self.renamed) or self.disk[0] == Data.NEW
"""


def test_no_fix_waits_for_the_power_to_stay(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(POWER)
    (model,) = load_module(tmp_path / "m.py").models
    found = {piece.text for piece in conditions(Surroundings(model))}
    assert {"self.renamed", "not self.renamed"} <= found
    assert not [text for text in found | {piece.text for piece in stores(Surroundings(model))} if "crash" in text]


def test_every_lock_of_the_library_can_be_taken_by_a_fix() -> None:
    locks = {c for name in lang.__all__ if isinstance(c := getattr(lang, name), type) and issubclass(c, Lock)}
    assert locks - set(WAYS) == {
        lang.RangeLock,
        lang.RCU,
        lang.SRCU,
        lang.SeqCount,
        lang.WaitQueue,
        lang.ExclusiveWaitQueue,
    }  # ranges are written out
