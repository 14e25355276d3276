"""Which source a page shows, and what it says of source that it does not show."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dio_mc.html.source import Source, coloured, sources_of
from dio_mc.source import source_lines
from dio_mc.trace.codec import read_trace
from dio_mc.trace.trace import Place, Trace

ROOT = Path(__file__).resolve().parents[2]
SEED = read_trace(ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json")
KEPT = "; these are the lines that the trace keeps"


def copied(folder: Path) -> Path:
    for name in ("ext3_2_6_18.py", "pagecache.py"):
        target = folder / "models" / "seed" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / "models" / "seed" / name).read_bytes())
    return folder


def named(trace: Trace, file: str) -> Trace:
    """The trace with another name for the model's file, and no lines of it."""
    steps = tuple(replace(step, place=Place(file, 1)) for step in trace.steps)
    return replace(trace, model=replace(trace.model, file=file), place=None, steps=steps, lines=())


def test_whole_files_where_they_are_as_the_trace_has_them(tmp_path: Path) -> None:
    model, parts = sources_of(SEED, copied(tmp_path))
    assert (model.file, model.note) == ("models/seed/ext3_2_6_18.py", "")
    assert (parts.file, parts.note) == ("models/seed/pagecache.py", "")
    assert len(model.lines) == len((ROOT / model.file).read_text().splitlines())


def test_a_line_of_the_trace_that_changed_is_noticed_and_another_is_not(tmp_path: Path) -> None:
    path = copied(tmp_path) / "models" / "seed" / "pagecache.py"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{lines[0]}  # read again", *lines[1:]]))
    assert sources_of(SEED, tmp_path)[1].note == ""
    path.write_text("\n".join(["# one line more", *lines]))
    changed = sources_of(SEED, tmp_path)[1]
    assert changed.note == f"the file has changed since the trace was taken{KEPT}"
    assert changed.lines == tuple((k.line, k.text) for k in SEED.lines if k.file == changed.file)


def test_a_file_that_is_gone_leaves_the_lines_of_the_trace(tmp_path: Path) -> None:
    found = sources_of(SEED, tmp_path)
    assert [s.note for s in found] == [f"the file is not at hand{KEPT}"] * 2
    assert [line for line, _ in found[0].lines] == [24, 28, 30, 35]


def test_without_lines_of_its_own_the_trace_cannot_tell(tmp_path: Path) -> None:
    found = sources_of(replace(SEED, lines=()), copied(tmp_path))
    assert found[0].note == "as the file is now; the trace does not say how it was"
    assert sources_of(replace(SEED, lines=()), tmp_path / "models")[0] == Source(
        "models/seed/ext3_2_6_18.py", (), "the file is not at hand"
    )


def test_a_model_that_moved_is_read_where_the_reader_says(tmp_path: Path) -> None:
    moved = tmp_path / "moved.py"
    moved.write_bytes((ROOT / SEED.model.file).read_bytes())
    model, parts = sources_of(SEED, tmp_path, str(moved))
    assert (model.note, parts.note) == ("", f"the file is not at hand{KEPT}")
    assert len(model.lines) > 40


def test_a_model_elsewhere_is_shown_whole_if_it_has_been_loaded(tmp_path: Path) -> None:
    """A trace has only the name of a file that is not below the working directory."""
    path = tmp_path / "ext3_of_this_test.py"  # tests before this one have loaded files of other names
    path.write_bytes((ROOT / SEED.model.file).read_bytes())
    (home := tmp_path / "home").mkdir()
    line = next(kept for kept in SEED.lines if kept.file == SEED.model.file)
    trace = replace(named(SEED, path.name), lines=(replace(line, file=path.name),))
    assert sources_of(trace, home)[0].note == f"the file is not at hand{KEPT}"
    source_lines(str(path))
    (shown,) = sources_of(trace, home)
    assert (shown.note, len(shown.lines)) == ("", len(path.read_text().splitlines()))
    assert sources_of(replace(trace, lines=()), home)[0].lines == ()
    other = replace(trace, lines=(replace(line, file=path.name, text="other"),))
    assert sources_of(other, home)[0].note == f"the file is not at hand{KEPT}"


@pytest.mark.parametrize("name", ["../secret.py", "/etc/passwd", "notes.txt", "link.py", "a\0b.py", "folder.py"])
def test_a_trace_cannot_make_a_page_of_any_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.py").write_text("secret")
    home = tmp_path / "home"
    home.mkdir()
    (home / "notes.txt").write_text("secret")
    (home / "folder.py").mkdir()
    os.symlink(tmp_path / "secret.py", home / "link.py")
    (found,) = sources_of(named(SEED, name), home)
    assert found.lines == ()
    refused = "not a Python file below the working directory, so it is not read"
    assert found.note == (refused if name != "folder.py" else "the file is not at hand")


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"\xff\xfe\x00", "the file cannot be read: it is not UTF-8 text"),
        (b"#" * 400_001, "the file is larger than 400 kB"),
    ],
)
def test_a_file_that_is_no_text_or_too_much(tmp_path: Path, data: bytes, note: str) -> None:
    (tmp_path / "m.py").write_bytes(data)
    assert sources_of(named(SEED, "m.py"), tmp_path) == (Source("m.py", (), note),)


def test_colours_are_put_around_what_the_file_says() -> None:
    lines = tuple(enumerate(['def f(x):  # "a"', '    """<b>', '    z""" ; return \'&\''], start=1))
    assert coloured(Source("m.py", lines, "")) == {
        1: '<span class="pk">def</span> <span class="pd">f</span>(x):  <span class="pc"># &quot;a&quot;</span>',
        2: '    <span class="ps">&quot;&quot;&quot;&lt;b&gt;</span>',
        3: '<span class="ps">    z&quot;&quot;&quot;</span> ; <span class="pk">return</span>'
        ' <span class="ps">&#x27;&amp;&#x27;</span>',
    }


def test_lines_that_stand_alone_are_coloured_alone() -> None:
    found = coloured(Source("m.py", ((4, "    return x"), (9, "if (")), ""))
    assert found == {4: '    <span class="pk">return</span> x', 9: '<span class="pk">if</span> ('}
    assert coloured(Source("m.py", ((1, "x = ("), (2, "\x07'")), ""))[2] == "\\x07&#x27;"
