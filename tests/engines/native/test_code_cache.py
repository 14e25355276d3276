"""Compiled code on disk: used again, made again when broken, bypassed with one sentence where it cannot be kept."""

import os
from pathlib import Path

import asking
import pytest
from asking import explore_reference
from ir_builder import cell, program, put, straight, variable

from dio_mc import cache as cached
from dio_mc.cache import Cache, cache_folder
from dio_mc.engines.native import engine, machine

TOY = program([variable("a")], [straight(put(cell(0), 1), put(cell(0), 2))], [2])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_folder()


def explored() -> tuple[int, list[str]]:

    notes: list[str] = []
    found = asking.native(TOY, [], note=notes.append)
    return found.states, notes


def test_code_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = explore_reference(TOY, []).states
    assert explored() == (expected, [])
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(machine, "_optimised", None)
    assert explored() == (expected, []), "without the compiler"


def test_quick_code_is_for_those_who_find_no_better(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = asking.prepare(TOY, [], quick=True).module.text
    assert not machine.compile_text(text, print, quick=True).optimised
    assert machine.compile_text(text, print, quick=False).optimised
    assert len(list(folder.iterdir())) == 2
    monkeypatch.setattr(machine, "_quick", None)
    assert machine.compile_text(text, print, quick=True).optimised, "which is there now"


@pytest.mark.parametrize("harm", [b"", b"dio-mc object\n" + bytes(40), "cut"])
def test_broken_entries_are_made_again(folder: Path, harm: bytes | str) -> None:
    expected = explored()
    (entry,) = folder.iterdir()
    whole = entry.read_bytes()
    entry.write_bytes(whole[:-1] if harm == "cut" else bytes(harm))
    assert explored() == expected
    assert entry.read_bytes() == whole


def test_a_folder_that_cannot_be_made_costs_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    states, (note,) = explored()
    assert states == explore_reference(TOY, []).states
    assert note.startswith(f"compiled code is not kept: {cache_folder()}")
    assert note.endswith(": Not a directory")


def test_a_disk_that_is_full_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    _, notes = explored()
    assert notes == ["compiled code is not kept: [Errno 28] No space left on device"]
    assert list(folder.iterdir()) == []


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert explored()[1] == ["compiled code is not kept: Could not determine home directory."]


def test_what_was_not_used_for_longest_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "KEPT", 3)
    kept = Cache(print)
    for number in range(3):
        kept.put(f"k{number}", b"code")
        os.utime(folder / f"k{number}", (number, number))
    assert kept.get("k0") == b"code", "and used now"
    kept.put("k3", b"code")
    assert sorted(path.name for path in folder.iterdir()) == ["k0", "k2", "k3"]


def test_a_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert cache_folder() == Path.home() / ".cache" / "dio-mc" / "native"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("No module named 'llvmlite'"), "llvmlite is not installed (pip install llvmlite)"),
        (OSError("libllvmlite.so: cannot open\nmore"), "llvmlite does not load: libllvmlite.so: cannot open"),
        (ImportError(), "llvmlite does not load: ImportError"),
    ],
)
def test_why_there_is_no_machine_code(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    import builtins

    original = builtins.__import__

    def importing(name: str, *rest: object) -> object:
        if name.startswith("llvmlite"):
            raise error
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    assert machine.missing() == words
    with pytest.raises(engine.NoMachine, match=r"llvmlite"):
        explored()


@pytest.mark.parametrize("mode", [0o777, 0o770])
def test_code_that_others_could_have_put_there_is_not_run(
    folder: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert explored()[1] == []
    folder.chmod(mode)
    (entry,) = folder.iterdir()
    before = entry.stat().st_atime_ns
    expected = explore_reference(TOY, []).states
    assert explored() == (expected, [f"compiled code is not kept: {folder}: others may write to it"])
    assert entry.stat().st_atime_ns == before


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_an_entry_that_is_not_a_file_is_not_read(folder: Path, kind: str, tmp_path: Path) -> None:
    expected = explored()[0]
    (entry,) = folder.iterdir()
    entry.rename(tmp_path / "elsewhere")
    os.mkfifo(entry) if kind == "pipe" else entry.symlink_to(tmp_path / "elsewhere")
    states, (note,) = explored()
    assert states == expected
    assert note.startswith(f"compiled code is not kept: {entry}: ") or note.endswith("is not a regular file")
