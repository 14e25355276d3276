"""Counterexample files: what is written where, and what happens when it cannot be."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from trace_programs import misuse, race, trace_of

from dio_mc.files import safe_name, write_if_changed
from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import trace_page
from dio_mc.render.dot import render_dot
from dio_mc.render.text import render_text
from dio_mc.report.artifacts import write_artifacts
from dio_mc.trace.codec import encode, read_trace

TRACE = trace_of(race(), "never_dirty")


def test_three_files(tmp_path):
    assert write_artifacts(tmp_path, "race.Race@pages=2", TRACE) == []
    folder = tmp_path / "race.Race@pages=2"
    assert sorted(p.name for p in folder.iterdir()) == ["never_dirty.dot", "never_dirty.json", "never_dirty.txt"]
    assert (folder / "never_dirty.txt").read_text() == render_text(TRACE, model=True) + "\n"
    assert (folder / "never_dirty.dot").read_text() == render_dot(TRACE)
    assert (folder / "never_dirty.json").read_text() == encode(TRACE)
    assert read_trace(folder / "never_dirty.json") == TRACE


def test_a_page_is_among_them_on_request(tmp_path):
    assert write_artifacts(tmp_path, "m", TRACE, page=True) == []
    assert sorted(p.suffix for p in (tmp_path / "m").iterdir()) == [".dot", ".html", ".json", ".txt"]
    assert (tmp_path / "m" / "never_dirty.html").read_text() == trace_page(TRACE, sources_of(TRACE, Path.cwd()))


def test_the_name_of_a_fault(tmp_path):
    write_artifacts(tmp_path, "race.Race", trace_of(misuse(), "lock_misuse@14"))
    assert (tmp_path / "race.Race" / "lock_misuse@14.txt").exists()


def test_an_equal_file_is_left_alone(tmp_path):
    write_artifacts(tmp_path, "m", TRACE)
    path = tmp_path / "m" / "never_dirty.txt"
    other = tmp_path / "m" / "mine.txt"
    other.write_text("mine")
    os.utime(path, (1, 1))
    write_artifacts(tmp_path, "m", TRACE)
    assert path.stat().st_mtime == 1
    assert other.read_text() == "mine"
    path.write_text("old")
    assert write_artifacts(tmp_path, "m", TRACE) == []
    assert path.read_text() == render_text(TRACE, model=True) + "\n"
    assert len(list((tmp_path / "m").iterdir())) == 4


def test_files_have_the_usual_rights(tmp_path):
    (tmp_path / "plain").write_text("")
    write_if_changed(tmp_path / "made", "x")
    assert (tmp_path / "made").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "m").write_text("in the way")
    problems = write_artifacts(tmp_path, "m", TRACE)
    assert len(problems) == 3
    assert all("never_dirty." in p and ": cannot be written: " in p for p in problems)
    assert (tmp_path / "m").read_text() == "in the way"


def test_one_file_that_cannot_be_written(tmp_path):
    (tmp_path / "m" / "never_dirty.dot").mkdir(parents=True)
    (tmp_path / "m" / "never_dirty.dot" / "full").write_text("")
    problems = write_artifacts(tmp_path, "m", TRACE)
    assert len(problems) == 1
    assert "never_dirty.dot: cannot be written: " in problems[0]
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == [
        "never_dirty.dot",
        "never_dirty.json",
        "never_dirty.txt",
    ]


def test_nothing_is_left_of_a_write_that_fails(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "x.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_if_changed(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs the device that is always full")
def test_a_device_is_neither_read_nor_replaced():
    with pytest.raises(OSError, match="No space"):
        write_if_changed(Path("/dev/full"), "x")
    assert Path("/dev/full").is_char_device()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_gets_all_of_it(tmp_path):
    pipe, text = tmp_path / "pipe", "x" * 200_000
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(pipe.read_text)
        assert write_if_changed(pipe, text)
        assert reading.result() == text
    assert pipe.is_fifo()


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for text in ("first", "second"):
        assert write_if_changed(tmp_path / "link", text)
        assert (tmp_path / "there").read_text() == text
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("link", ["folder", "file"])
def test_no_counterexample_is_written_through_a_link(tmp_path, link):
    trace = TRACE
    home, other = tmp_path / "counterexamples", tmp_path / "other"
    other.mkdir()
    victim = other / f"{trace.property}.json"
    victim.write_text("precious")
    if link == "folder":
        home.mkdir()
        (home / "m.M").symlink_to(other)
    else:
        (home / "m.M").mkdir(parents=True)
        (home / "m.M" / victim.name).symlink_to(victim)
    problems = write_artifacts(home, "m.M", trace)
    assert any("cannot be written: a symbolic link is in the way" in problem for problem in problems)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("assertion@41", "assertion@41"),
        ("ext3_2_6_18.Ext3@pages=2,readers=1", "ext3_2_6_18.Ext3@pages=2,readers=1"),
        ("assertion@locks:12", "assertion@locks_12"),
        ("../../etc/passwd", "___.._etc_passwd"),
        ("..", "_"),
        ("", "_"),
        ("/", "_"),
        ("a\\b\x00c\n", "a_b_c_"),
        (".hidden", "_hidden"),
        ("end.", "end"),
        ("con.txt", "_con.txt"),
        ("b\u00e4ume", "b_ume"),
    ],
)
def test_safe_names(name, safe, tmp_path):
    assert safe_name(name) == safe
    assert Path(tmp_path, safe).resolve().parent == tmp_path.resolve()
    (tmp_path / safe).write_text("")


def test_a_name_is_not_too_long_for_a_file_system(tmp_path):
    assert len(safe_name("x" * 1000)) == 120


def test_no_path_leaves_the_folder(tmp_path):
    root = tmp_path / "root"
    assert write_artifacts(root, "../../out", TRACE) == []
    assert [p.name for p in tmp_path.iterdir()] == ["root"]
    assert [p.name for p in root.iterdir()] == ["___.._out"]
