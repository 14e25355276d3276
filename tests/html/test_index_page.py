"""The index of a folder as text, the files that are written, and the engine that draws."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from hostile import NASTY, hostile

from dio_mc.cli import cli
from dio_mc.html.folder import Folder, Found, Graph, Refused, scan
from dio_mc.html.index_page import index_page, link_to
from dio_mc.html.pages import pages_of
from dio_mc.trace.codec import read_trace

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "counterexamples"
SEED = GALLERY / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
VENDOR = resources.files("dio_mc.html.vendor")


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_every_trace_has_a_link_to_its_page_and_its_graph() -> None:
    folder = scan(GALLERY)
    tags = Tags(index_page(folder)).found
    links = [unquote(attributes["href"] or "") for tag, attributes in tags if tag == "a"]
    assert sorted(links) == sorted(f.page for f in folder.traces)
    drawn = [attributes["data-graph"] for _, attributes in tags if "data-graph" in attributes]
    assert sorted(map(str, drawn)) == sorted(g.name for g in folder.graphs)


def test_the_heading_counts(tmp_path: Path) -> None:
    shutil.copytree(SEED.parent, tmp_path / "f" / "a")
    (tmp_path / "f" / "x.bin").write_text("")
    words = " ".join(re.sub(r"<[^>]*>", " ", index_page(scan(tmp_path / "f"))[:20_000]).split())
    assert "f: 2 violations, 1 witness, 3 graphs, 1 not shown" in words


def test_pages_lead_back_to_the_index() -> None:
    pages = pages_of(scan(GALLERY), ROOT)
    assert 'href="../index.html"' in pages["ext3_2_6_18.Ext3/no_stale_exposure.html"]("")
    assert pages["index.html"]("").startswith("<!DOCTYPE html>")


def test_a_folder_without_graphs_carries_no_engine(tmp_path: Path) -> None:
    page = index_page(scan(tmp_path))
    assert len(page) < 20_000
    assert "wasm-unsafe-eval" not in page
    assert "No traces in this folder." in page


def test_odd_names_make_links_that_lead_there(tmp_path: Path) -> None:
    name = "a b#c?d%41&<e>\"f'.json"
    (tmp_path / name).write_text(SEED.read_text())
    folder = scan(tmp_path)
    assert unquote(link_to(folder.traces[0])) == name.replace(".json", ".html")
    assert "<e>" not in index_page(folder)


def test_markup_in_names_reasons_and_graphs_stays_text() -> None:
    trace = hostile(read_trace(SEED))
    found = Found(f"{NASTY}.json", trace, f"{NASTY}.dot")
    graph = Graph(f"{NASTY}.dot", f'digraph {{ a [label="{NASTY}"] }}', alone=False)
    page = index_page(Folder(NASTY, (found,), (graph, Graph("b.dot", NASTY, alone=True)), (Refused(NASTY, NASTY),)))
    tags = [tag for tag, _ in Tags(page).found]
    assert "<img" not in page
    assert (tags.count("img"), tags.count("script")) == (0, 4)
    text = re.findall(r'<script type="application/json" id="graphs">(.*?)</script>', page, re.DOTALL)[0]
    assert json.loads(text) == {graph.name: graph.text, "b.dot": NASTY}


def test_written_pages_are_those_served_and_are_left_alone_when_they_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    source = tmp_path / "source"
    shutil.copytree(SEED.parent, source / "Ext3")
    (source / "broken.json").write_text("{")
    command = ["browse", str(source), "--write", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, command)
    assert (result.exit_code, result.output) == (0, f"4 pages, beginning with {tmp_path / 'out' / 'index.html'}\n")
    written = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*.html")}
    pages = pages_of(scan(source), ROOT)
    assert {name: path.read_text() for name, path in written.items()} == {
        name: make("") for name, make in pages.items()
    }
    times = {path: path.stat().st_mtime_ns for path in written.values()}
    assert CliRunner().invoke(cli, command).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in written.values()} == times


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere: error DIO201: no such folder"),
        ([str(SEED)], "no_stale_exposure.json: error DIO221: a folder is needed here"),
        ([str(GALLERY), "--write", str(SEED)], ": error DIO207: cannot be written: Not a directory"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, ["browse", *arguments])
    assert words in str(result.exception) + result.output
    assert "Traceback" not in result.output


def test_the_engine_is_the_one_that_the_notice_names() -> None:
    notice = VENDOR.joinpath("NOTICE").read_text()
    (stated,) = re.findall(r"sha256 +([0-9a-f]{64})  graphviz\.js", notice)
    assert hashlib.sha256(VENDOR.joinpath("graphviz.js").read_bytes()).hexdigest() == stated
    for licence, words in (
        ("LICENSE.wasm-graphviz", "Apache License"),
        ("LICENSE.graphviz", "Eclipse Public License - v 2.0"),
    ):
        assert licence in notice
        assert words in VENDOR.joinpath(licence).read_text()
