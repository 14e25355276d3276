"""Memory that is left: of the machine, of control groups of both versions; what a search does when there is none."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import asking
import pytest
from asking import explore_reference as explore
from ir_builder import DIGIT, evaluator, observation, own, program, put, straight, variable

from dio_mc import memory
from dio_mc.engines import limits
from dio_mc.engines.native import engine, visited
from dio_mc.engines.reference.search import POLL_EVERY
from dio_mc.ir.program import Program
from dio_mc.memory import RESERVE, UNKNOWN, available_bytes, resident_bytes

MB = 1 << 20
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made up machine: 100 MB are left, and nobody is in a group."""
    monkeypatch.setattr(memory, "_PROCESS", tmp_path / "process")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    (tmp_path / "process").mkdir()
    (tmp_path / "meminfo").write_text(f"MemFree: 1 kB\nMemAvailable:  {100 << 10} kB\n")
    return tmp_path


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"memory.{name}").write_text(text)


def test_resident_bytes_are_those_of_this_process(system: Path) -> None:
    assert 5 * MB < resident_bytes() < 1 << 40, "where /proc is not to be had"
    (system / "process" / "statm").write_text("100 25 3")
    assert resident_bytes() == 25 * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="madvise(2) of Linux")
def test_code_that_was_let_go_of_is_there_when_it_is_called() -> None:
    """In a process of its own, where nothing else changes how much it holds."""
    script = """
from dio_mc.memory import let_go_of_code, resident_bytes
import llvmlite.binding as llvm
def compile():
    module = llvm.parse_assembly("define i64 @f(i64 %x) { %y = add i64 %x, 1 ret i64 %y }")
    target = llvm.Target.from_default_triple().create_target_machine()
    return target.emit_object(module)
llvm.initialize_native_target()
llvm.initialize_native_asmprinter()
code = compile()
before = resident_bytes()
let_go_of_code("no such library")
assert resident_bytes() >= before
let_go_of_code("llvmlite")
print(before - resident_bytes())
assert compile() == code
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10 * MB


def test_where_nothing_is_known_of_libraries_nothing_is_let_go(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    library = SimpleNamespace(madvise=lambda *range_: asked.append(range_))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    memory.let_go_of_code("llvmlite")
    (system / "process" / "maps").write_text(
        "0-1000 r-xp 00000000 00:00 0\n0-1000 rw-p 00000000 fe:00 7 /lib/llvmlite.so\n"
    )
    memory.let_go_of_code("llvmlite")
    assert asked == []
    with (system / "process" / "maps").open("a") as maps:
        maps.write("1000-3000 r-xp 00000000 fe:00 7 /lib/llvmlite.so\n")
    memory.let_go_of_code("llvmlite")
    assert [(first.value, size.value) for first, size, _ in asked] == [(0x1000, 0x2000)]


def test_what_the_machine_has_left(system: Path) -> None:
    assert available_bytes() == 100 * MB
    (system / "meminfo").write_text("nothing of the sort")
    assert available_bytes() == UNKNOWN


def test_the_smallest_share_of_all_groups_above_counts(system: Path) -> None:
    (system / "process" / "cgroup").write_text("0::/jobs/mine\n")
    group(system / "groups" / "jobs" / "mine", max="max\n", current=str(5 * MB))
    assert available_bytes() == 100 * MB
    group(system / "groups" / "jobs", max=str(80 * MB), current=str(60 * MB))
    assert available_bytes() == 20 * MB
    group(system / "groups" / "jobs", stat=f"anon 7\ninactive_file {4 * MB}\n")
    assert available_bytes() == 24 * MB, "what the kernel can drop is free"
    group(system / "groups" / "jobs" / "mine", max=str(5 * MB))
    assert available_bytes() == 0


def test_groups_of_the_first_version(system: Path) -> None:
    (system / "process" / "cgroup").write_text("9:cpu:/busy\n4:hugetlb,memory:/mine\n")
    group(system / "groups" / "memory" / "mine", limit_in_bytes=str(50 * MB), usage_in_bytes=str(20 * MB))
    assert available_bytes() == 30 * MB
    group(system / "groups" / "memory" / "busy", limit_in_bytes="1", usage_in_bytes="1")
    assert available_bytes() == 30 * MB


def test_a_group_that_is_not_to_be_seen_from_here_is_no_limit(system: Path) -> None:
    (system / "process" / "cgroup").write_text("0::/../elsewhere\nnonsense\n")
    assert available_bytes() == 100 * MB


# -- searches ----------------------------------------------------------------------------------------------------------


def grid(steps: int) -> Program:
    """Two threads of so many steps: ``(steps + 1) ** 2`` states."""
    return program([variable("a")], [straight(*[put(own(0), 0)] * steps, locals_=[(DIGIT, 0)])], [2])


def test_the_reference_engine_ends_before_the_last_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter([10 * RESERVE, RESERVE, RESERVE - 1])
    monkeypatch.setattr(limits, "available_bytes", lambda: next(left))
    found = explore(grid(99), [])
    asked = (3 * limits.LOOKED_AT - 1) * POLL_EVERY
    assert (str(found.stopped), found.complete) == ("out of memory", False)
    assert asked <= found.states == asked + found.open


def test_a_small_search_does_not_ask_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(limits, "available_bytes", lambda: asked.append(1) or UNKNOWN)
    assert explore(grid(20), []).complete
    assert asked == []
    assert explore(grid(50), []).complete
    assert len(asked) == 2601 // (limits.LOOKED_AT * POLL_EVERY)


def test_the_native_engine_ends_before_the_last_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(visited, "available_bytes", lambda: RESERVE)
    found = asking.native(grid(499), [])
    most = int(visited.LEAPS[0] // 8 * visited.LOAD)
    assert str(found.stopped) == "out of memory"
    assert most - 1000 < found.states <= most, "the first table is full, and there is no memory for the next"
    assert 0 < found.open < found.states


def test_a_table_that_fits_needs_nothing_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(visited, "available_bytes", lambda: 0)
    found = asking.native(grid(99), [])
    assert (found.states, found.stopped) == (10_000, None)


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_no_memory_for_the_way_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: type[BaseException]
) -> None:
    """A violation without a schedule to replay is none: what was found is covered, and nothing is claimed."""

    def none(*_: object) -> None:
        raise error

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(engine, "reach", none)
    found = asking.native(grid(2), [evaluator("a", lambda a: False, observation(grid(2), "a"))])
    assert str(found.stopped) == {MemoryError: "out of memory", KeyboardInterrupt: "interrupted"}[error]
    assert (found.states, found.violations, found.complete) == (9, (), False)


@pytest.mark.parametrize("fixed", [0, 1])
def test_a_process_that_is_given_little_says_what_it_covered(tmp_path: Path, fixed: int) -> None:
    """11.8 million states in 512 MB of address space; libraries take most of it."""
    size = 512 * MB
    code = f"""if True:
        import resource, sys
        resource.setrlimit(resource.RLIMIT_AS, ({size}, {size}))
        from dio_mc.cli import main
        sys.argv[:1] = ["dio-mc"]
        main()
    """
    sizes = ("pages=2", "readers=3", "mappers=3", f"fixed={fixed}")
    options = [word for size in sizes for word in ("--param", size)]
    command = [sys.executable, "-c", code, "check", str(ROOT / "benchmarks" / "diorace.py"), *options]
    known = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--engine", "native", "--no-reduction", "--no-artifacts"],
        capture_output=True, text=True, cwd=tmp_path, env=known, check=False, timeout=120,
    )  # fmt: skip
    assert not done.stderr
    assert "  stopped by out of memory; " in done.stdout
    assert done.returncode == (3 if fixed else 1), "what was found before is shown"
    assert ("no_stale: VIOLATED" in done.stdout or "VIOLATED no_stale" in done.stdout) == (not fixed)
