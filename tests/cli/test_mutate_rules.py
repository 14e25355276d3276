"""`dio-mc mutate --rule`: mutants of a locking rule, caught when the verdict of a pair of operations changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_models import ROOT, dio_mc

from dio_mc.checking.driver import Options
from dio_mc.checking.runs import mutate_rules
from dio_mc.checking.runs.matrix import opened
from dio_mc.frontend.build import digest_of
from dio_mc.guard import Latch
from dio_mc.mutation.mutants import Mutant
from dio_mc.mutation.score import Score
from dio_mc.source import Span
from dio_mc.study.matrix import Pairing, cell_of, matrix
from dio_mc.study.products import products
from dio_mc.study.registry import Registry, together

LOCKS = ("mutate", "--rule", "two_class_lock", "--operation", "direct_write", "--operation", "read", "--kind", "lock")
TEXT = """\
models/protocols/two_class.py two_class_lock (3 pairs): 2 of 5 mutants caught, 40 %
  survived     models/protocols/two_class.py:31 read_pages: without `self.i_rwsem.down_read()` and its release
  survived     models/protocols/two_class.py:33 read_pages: without `i_dio_count`
  survived     models/protocols/two_class.py:60 start_direct_write: without `self.i_rwsem.down_read()` and its release
"""
CAUGHT = """\
  caught       models/protocols/two_class.py:32 read_pages: without `self.classes.lock_buffered()` and its release
               direct_write x read: stale instead of ok
  caught       models/protocols/two_class.py:61 start_direct_write: without `self.classes.lock_direct()` and its release
               direct_write x read: stale instead of ok
"""


def test_no_cell_is_kept_without_a_cache(tmp_path: Path) -> None:
    one = ("mutate", "--rule", "two_class_lock", "--operation", "punch_hole", "--kind", "lock")
    dio_mc(*one, cwd=ROOT, XDG_CACHE_HOME=str(tmp_path), DIO_MC_NO_CACHE="1")
    dio_mc(*one, "--no-cache", cwd=ROOT, XDG_CACHE_HOME=str(tmp_path))
    assert not list(tmp_path.rglob("matrix/*"))
    dio_mc(*one, cwd=ROOT, XDG_CACHE_HOME=str(tmp_path))
    assert list(tmp_path.rglob("matrix/*"))


def test_locks_of_a_rule() -> None:
    done = dio_mc(*LOCKS, cwd=ROOT)
    assert (done.stdout, done.returncode) == (TEXT, 1), done.stderr
    again = dio_mc(*LOCKS, "-v", "--jobs", "2", cwd=ROOT)
    assert again.stdout == TEXT + CAUGHT


def test_the_json_report() -> None:
    done = dio_mc(*LOCKS, "--output-format", "json", "--min-score", "40", cwd=ROOT)
    (found,) = json.loads(done.stdout)["models"]
    assert (found["model"], found["bindings"], found["caught"], done.returncode) == (
        "two_class_lock",
        ["3 pairs"],
        2,
        0,
    )
    assert found["mutants"][1]["why"] == "direct_write x read: stale instead of ok"


def test_too_few_states() -> None:
    done = dio_mc(*LOCKS, "--max-states", "60", cwd=ROOT)
    assert (done.stdout, done.returncode) == (
        "models/protocols/two_class.py two_class_lock: not mutated, it is undetermined as it stands\n", 3,
    )  # fmt: skip


def test_operations_that_the_rule_does_not_know() -> None:
    done = dio_mc("mutate", "--rule", "two_class_lock", "--operation", "punch_hole", cwd=ROOT)
    assert done.stdout == (
        "models/protocols/two_class.py two_class_lock: not mutated, it knows no pair of these operations\n"
    )
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'FILE_FOLDER_OR_GLOB...', or --rule."),
        (("m.py", "--rule", "xfs_today"), "--rule takes no files: further rules are named with --file."),
        (("--rule", "xfs_today", "--model", "M"), "--model is for classes, not for --rule."),
        (("--rule", "xfs_today", "--against", "M"), "--against is for classes, not for --rule."),
        (("m.py", "--operation", "read"), "--operation is for --rule."),
        (("m.py", "--pages", "2"), "--pages is for --rule."),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = dio_mc("mutate", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, f"Error: {said}")


def test_unknown_names(tmp_path: Path) -> None:
    done = dio_mc("mutate", "--rule", "two_class_loc", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        2, "dio-mc: error DIO208: no locking rule `two_class_loc`\n  hint: did you mean `two_class_lock`?\n",
    )  # fmt: skip


# --- what a mutant of a rule is ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def registry() -> Registry:
    return opened(None, ())


def test_a_rule_made_again_without_a_change_is_the_same(registry: Registry) -> None:
    """The families of properties share classes with the rule: all of them are made again together."""
    rule = registry.rules["two_class_lock"]
    nothing = Mutant(0, "lock", "", "", Span("", 1, 1, 1, 1), {})
    again = mutate_rules.changed_rule(rule, nothing)
    for names, sectors, pages in ((("direct_write", "read"), 1, 1), (("aio_write", "mmap_store"), 2, 2)):
        workload = together(registry, names, sectors, pages)
        pairs = zip(products(workload, rule), products(workload, again), strict=True)
        assert [digest_of(one.named()) == digest_of(other.named()) for one, other in pairs] == [True] * pages


BY_HAND = """\
from two_class import TwoClasses

from dio_mc import operation


class NoClassForDirect(TwoClasses, abstract=True):
    rule, since = "by_hand", 2030

    @operation(kernel="fs/nfs/io.c:nfs_start_io_direct @4.9-")
    def start_direct_write(self, i):
        self.i_rwsem.down_read()

    @operation(kernel="fs/nfs/io.c:nfs_end_io_direct @4.9-")
    def end_direct_write(self):
        self.i_rwsem.up_read()
"""


def test_the_mutant_is_the_rule_that_is_written_by_hand(tmp_path: Path) -> None:
    """The verdicts of the lock left out, against a rule without it."""
    (tmp_path / "by_hand.py").write_text(BY_HAND)
    registry = opened(None, (tmp_path / "by_hand.py",))
    rule = registry.rules["two_class_lock"]
    ground = mutate_rules.Ground("two_class_lock", ("direct_write", "read"), files=(tmp_path / "by_hand.py",))
    text = "without `self.classes.lock_direct()` and its release"
    mutants = mutate_rules.mutants_of_rule(ground)
    (mutant,) = [m for m in mutants if m.text == text and m.function == "start_direct_write"]
    changed = mutate_rules.changed_rule(rule, mutant)
    for names in (("direct_write", "direct_write"), ("direct_write", "read")):
        cells = [
            cell_of(Pairing(together(registry, names), one), None, Latch(lambda: None))
            for one in (changed, registry.rules["by_hand"])
        ]
        assert cells[0].layouts == cells[1].layouts


SPOILS = """\
from two_class import TwoClasses

from dio_mc import operation
from dio_mc.kernel import Data


class Spoils(TwoClasses, abstract=True):
    rule, since = "spoils", 2030

    @operation(kernel="fs/nfs/io.c:nfs_end_io_direct @4.9-")
    def end_direct_write(self):
        self.disk[0] = Data.STALE
        super().end_direct_write()
"""


def test_a_better_verdict_catches_as_well(tmp_path: Path) -> None:
    file = tmp_path / "spoils.py"
    file.write_text(SPOILS)
    registry = opened(None, (file,))
    cells = matrix(registry, [registry.rules["spoils"]], ["direct_write"]).cells
    ground = mutate_rules.Ground("spoils", ("direct_write",), files=(file,))
    found = mutate_rules.score_rule(mutate_rules.RulePlan(ground, cells, Options(), frozenset({"store"})))
    assert isinstance(found, Score)
    assert [(j.fate, j.mutant.text, j.why) for j in found.judged] == [
        ("caught", "without `self.disk[0] = Data.STALE`", "direct_write x direct_write: ok instead of exposed")
    ]


def test_only_what_these_operations_do_is_mutated() -> None:
    """No mutant of the workload's own threads, of other files, or of what a read does not reach."""
    own = mutate_rules.mutants_of_rule(mutate_rules.Ground("two_class_lock", ("read",)))
    assert {m.function for m in own} == {"read_pages", "bio_write"}  # the second by writeback
    inherited = mutate_rules.mutants_of_rule(mutate_rules.Ground("two_class_lock", ("read",), inherited=True))
    assert {Path(m.span.file).parent.name for m in inherited} == {"protocols", "kernel"}
