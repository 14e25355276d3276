"""What is found in a folder, and that nothing in it hides the rest or leads out of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.html.folder import MOST_GRAPH_BYTES, Folder, Refused, groups, scan
from dio_mc.trace.codec import read_trace

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "counterexamples"
SEED = GALLERY / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"


def test_the_golden_folder_is_found_whole() -> None:
    folder = scan(GALLERY)
    paths = sorted(GALLERY.rglob("*.json"))
    assert sorted(f.name for f in folder.traces) == sorted(p.relative_to(GALLERY).as_posix() for p in paths)
    assert [read_trace(GALLERY / f.name) for f in folder.traces] == [f.trace for f in folder.traces]
    assert all(f.graph == f.name.removesuffix("json") + "dot" for f in folder.traces)
    assert len(folder.graphs) == len(paths)
    assert not any(g.alone for g in folder.graphs)
    assert folder.refused == ()


def test_models_are_grouped_with_what_is_wrong_first() -> None:
    (ext3,) = ([e.name.split("/")[1] for e in entries] for t, entries in groups(scan(GALLERY))
               if t.model.name == "Ext3@pages=2" or (t.model.name == "Ext3" and dict(t.model.params)["pages"] == 2))  # fmt: skip
    assert ext3 == ["no_hole_filled.json", "no_stale_exposure.json", "new_data_can_be_read.json"]


def reasons(folder: Folder) -> dict[str, str]:
    return {file.name: file.reason for file in folder.refused}


def test_what_is_no_trace_is_listed_with_the_reason(tmp_path: Path) -> None:
    good = SEED.read_text()
    (tmp_path / "good.json").write_text(good)
    (tmp_path / "cut.json").write_text(good[:2000])
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "other.json").write_text('{"schema": "sarif"}')
    (tmp_path / "newer.json").write_text(good.replace("dio-mc/trace/1", "dio-mc/trace/9"))
    (tmp_path / "bytes.json").write_bytes(b"\xff\x00")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "bytes.dot").write_bytes(b"digraph {\xff}")
    (tmp_path / "large.dot").write_bytes(b"x" * (MOST_GRAPH_BYTES + 1))
    (tmp_path / "notes.md").write_text("# notes")
    (tmp_path / "good.txt").write_text("as text")
    (tmp_path / ".hidden.json").write_text("{")
    folder = scan(tmp_path)
    assert [f.name for f in folder.traces] == ["good.json"]
    found = reasons(folder)
    assert found.pop("cut.json").startswith("not JSON: ")
    assert found == {
        "empty.json": "not a dio-mc trace: it is empty",
        "other.json": "not a dio-mc trace: its schema is 'sarif' (expected 'dio-mc/trace/1')",
        "newer.json": "written in format 'dio-mc/trace/9', this version of dio-mc reads 'dio-mc/trace/1'",
        "bytes.json": "not a dio-mc trace: it is not UTF-8 text",
        "deep.json": "not a dio-mc trace: it is nested too deeply",
        "bytes.dot": "not UTF-8 text",
        "large.dot": "larger than 400 kB",
        "notes.md": "neither a trace (.json) nor a graph (.dot)",
    }


def test_links_out_and_odd_files_are_not_followed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "deep").mkdir(parents=True)
    (tmp_path / "secret.json").write_text(SEED.read_text())
    os.symlink(tmp_path / "secret.json", home / "link.json")
    os.symlink(tmp_path, home / "up")
    os.symlink(home / "nowhere", home / "broken.json")
    os.symlink(home / "round.dot", home / "round.dot")
    (home / "folder.json").mkdir()
    os.mkfifo(home / "pipe.json")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home / "socket.dot"))
        folder = scan(home)
    assert (folder.traces, folder.graphs) == ((), ())
    assert reasons(folder) == {
        "round.dot": "not a regular file",
        "link.json": "a link that leads out of the folder; not followed",
        "up": "a link to a folder; not followed",
        "broken.json": "not a regular file",
        "pipe.json": "not a regular file",
        "socket.dot": "not a regular file",
    }


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed.json").write_text("{}")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert scan(tmp_path).refused == (Refused("closed.json", "cannot be read: Permission denied"),)


def test_a_graph_without_a_trace_stands_alone_and_a_trace_without_a_graph_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(SEED.read_text())
    (tmp_path / "a.dot").write_bytes(b"\xff")
    (tmp_path / "b.gv").write_text("digraph {}")
    folder = scan(tmp_path)
    assert [(f.name, f.graph) for f in folder.traces] == [("a.json", None)]
    assert [(g.name, g.alone) for g in folder.graphs] == [("b.gv", True)]


def test_too_many_files_are_cut_off_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dio_mc.html.folder.MOST_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.dot").write_text("digraph {}")
    folder = scan(tmp_path)
    assert [g.name for g in folder.graphs] == ["0.dot", "1.dot", "2.dot"]
    assert reasons(folder) == {".": "only the first 3 files are shown"}


def test_what_is_no_folder_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="DIO201: no such folder"):
        scan(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="DIO221: a folder is needed here"):
        scan(SEED)
