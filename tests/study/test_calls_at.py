"""Operations that begin at a later page of the file: the same as a workload that says so, and what is wrong."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.source import function_tree
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import Registry, open_registry, parts_named, product, program_named, together

BY_HAND = """\
from dio_mc import thread
from dio_mc.kernel import Data


class ByHand:
    layouts, pages = ("written",), 2

    @thread
    def t0_read(self):
        self.pread(0)

    @thread
    def t1_direct_write_1(self):
        self.pwrite_direct(1, Data.NEWER)
"""
RULE = "generic_2005"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    path = tmp_path_factory.mktemp("calls_at") / "by_hand.py"
    path.write_text(BY_HAND)
    return open_registry(None, [path])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_it_is_what_a_workload_with_calls_at_that_page_is(registry: Registry) -> None:
    rule = registry.rules[RULE]
    workload = together(registry, ("read", "direct_write@1"), pages=2)
    (made,) = outcomes(replace(workload, layouts=("written",)), rule, witnesses=())
    (expected,) = outcomes(registry.workloads["by_hand"], rule, witnesses=())
    assert (made.outcomes, made.states) == (expected.outcomes, expected.states)
    assert {o.after for o in made.outcomes} == {"mixed", "cache old, disk mixed"}
    assert made.workload == "read x direct_write@1"
    assert (workload.calls, workload.is_whole) == (("read", "direct_write"), False)
    (whole,) = outcomes(replace(together(registry, ("read", "direct_write"), pages=2), layouts=("written",)), rule)
    assert whole.outcomes != made.outcomes


def test_page_0_is_where_an_operation_begins_anyway(registry: Registry) -> None:
    assert together(registry, ("read@0", "direct_write"), pages=2) == together(
        registry, ("read", "direct_write"), pages=2
    )


CALLS = {
    "read": ["self.pread(1)"],
    "aio_write": ["self.io_submit_pwrite(1, Data.NEWER)", "self.io_getevents()"],
    "mmap_store": ["self.mmap_store(1, Data.NEWER)"],
    "fsync": ["self.fsync(1)"],
}


@pytest.mark.parametrize("operation", CALLS)
def test_every_call_of_an_operation_is_at_the_page(registry: Registry, operation: str) -> None:
    """One that is about no page stays as it is, and so does the function of the operation itself."""
    before = function_tree(together(registry, ("read", operation), pages=2).threads[f"t1_{operation}"])
    workload = together(registry, ("read", f"{operation}@1"), pages=2)
    after = function_tree(workload.threads[f"t1_{operation}_1"])
    assert before is not None
    assert after is not None
    assert [ast.unparse(statement) for statement in after.body] == CALLS[operation]
    assert [ast.unparse(s).replace("(0", "(1") for s in before.body] == CALLS[operation]


def test_a_program_is_found_again_by_its_name(registry: Registry) -> None:
    rule = registry.rules[RULE]
    program = product(together(registry, ("direct_read@1", "write"), pages=2), rule)["hole"]
    assert program.name == f"direct_read_1_x_write__{RULE}@pages=2@hole"
    parts = parts_named(registry, program.name)
    assert parts is not None
    assert (parts[0].name, parts[0].pages, parts[2]) == ("direct_read@1 x write", 2, "hole")
    assert program_named(registry, program.name) == program
    assert parts_named(registry, f"direct_read_1_x_wriite__{RULE}@pages=2@hole") is None


WRONG = [
    ("write@2", 2, "`write@2` begins at page 2, and the file has 2 pages, from 0 on", "`outcomes` and `diff` take --pages 3"),
    ("write@1", 1, "`write@1` begins at page 1, and the file has 1 page, from 0 on", "`outcomes` and `diff` take --pages 2"),
    ("write@9", 4, "`write@9` begins at page 9, and the file has 4 pages, from 0 on", "it has at most 4"),
    ("truncate@1", 2, "`truncate` is about the whole file, and begins at no page", ""),
    ("write@x", 2, "no page `x` for `write` to begin at", "`write@1` is about the pages from 1 on"),
    ("write@", 2, "no page `` for `write` to begin at", "`write@1` is about the pages from 1 on"),
    ("wriite@1", 2, "no operation `wriite`", "did you mean `write`?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "pages", "message", "hint"), WRONG)
def test_wrong_pages(registry: Registry, name: str, pages: int, message: str, hint: str) -> None:
    with pytest.raises(ModelError) as caught:
        together(registry, ("read", name), pages=pages)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message, found.hint) == ("DIO208", message, hint)


def test_the_commands_take_it_and_a_run_is_replayed(tmp_path: Path) -> None:
    options = ("--pages", "2", "--rule", RULE, "--traces", str(tmp_path))
    said = run("outcomes", "read,direct_write@1", *options)
    assert f"read x direct_write@1 under {RULE}, written file: stale" in said.output
    (trace, *_) = sorted(tmp_path.glob("*-written-1.json"))
    assert run("replay", str(trace)).exit_code == 0
