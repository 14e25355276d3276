"""The file that a trace becomes: what is in it, that it stands alone, that nothing in it comes from a model unescaped."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from hostile import MODEL, NASTY, hostile
from hypothesis import HealthCheck, given, settings
from render_traces import all_traces, ext3
from trace_strategies import traces

from dio_mc.checking.driver import check_class
from dio_mc.cli import cli
from dio_mc.frontend import load_module
from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import trace_page
from dio_mc.render.commit import render_commit
from dio_mc.trace.codec import encode, read_trace
from dio_mc.trace.trace import Trace

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
VOID = {"meta", "link", "input", "rect", "path", "circle", "br"}


class Outline(HTMLParser):
    """The elements of a page, the texts of its blocks, and whether everything is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.blocks: dict[str, str] = {}
        self.words: list[str] = []
        self.faults: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data: str) -> None:
        name, attributes = self.elements[-1] if self.elements else ("", {})
        if self.open[-1:] in (["script"], ["style"]):
            self.blocks[attributes.get("id") or f"{name}{len(self.blocks)}"] = data
        else:
            self.words.append(data)


@pytest.fixture(scope="module")
def seed() -> Trace:
    return read_trace(SEED)


def test_the_page_says_what_is_wrong_and_where(seed: Trace) -> None:
    words = " ".join(" ".join(Outline(trace_page(seed)).words).split())
    assert "violated no_stale_exposure" in words
    assert "seen[0] is now STALE: CPU0 in dio_await_completion() changed it from ZERO." in words
    assert "models/seed/ext3_2_6_18.py:35" in words
    assert "12 steps" in words
    assert "3 context switches" in words


def test_what_is_copied_is_the_diagram_and_the_file_itself(seed: Trace) -> None:
    copies = json.loads(Outline(trace_page(seed)).blocks["copies"])
    assert copies == {"commit": render_commit(seed) + "\n", "json": SEED.read_text()}


def test_the_source_stands_beside_with_the_steps_at_their_lines(seed: Trace) -> None:
    page = trace_page(seed, sources_of(seed, ROOT))
    source = (ROOT / "models/seed/pagecache.py").read_text().splitlines()
    rows = re.findall(r'<div class="line" data-line="(\d+)">(.*?)<i>\d+</i><code>(.*?)</code></div>', page)
    shown = {int(number): Outline(code).words for number, _, code in rows if int(number) > 50}
    assert "".join(shown[114]) == source[113]
    marks = {(int(number), step) for number, links, _ in rows for step in re.findall(r"#step=(\d+)", links)}
    assert marks == {(step.place.line, str(step.number)) for step in seed.steps if step.place is not None}


def test_why_has_room_for_five_lines(seed: Trace) -> None:
    lines = [f"because of <{n}>" for n in range(7)]
    found = re.findall(r"<li>(because.*?)</li>", trace_page(seed, why=lines))
    assert found == [f"because of &lt;{n}&gt;" for n in range(5)]
    assert "Why</h2>" in trace_page(seed), "the trace has its own"
    assert "Why</h2>" not in trace_page(replace(seed, why=None))


def test_every_property_has_its_standing_at_every_state(seed: Trace) -> None:
    view = json.loads(Outline(trace_page(seed)).blocks["data"])
    assert {p["name"]: p["at"] for p in view["properties"]} == {
        "no_stale_exposure": [12],
        "no_hole_filled": [9],
        "new_data_can_be_read": [],
    }
    assert view["steps"][0]["instead"][0]["name"] == "mapper"
    assert [h["lock"] for h in view["holds"]] == ["i_mutex", "i_alloc_sem", "page_lock[0]", "page_lock[0]"]


def test_the_same_trace_is_the_same_page(seed: Trace) -> None:
    assert trace_page(seed, sources_of(seed, ROOT)) == trace_page(read_trace(SEED), sources_of(seed, ROOT))


# -- nothing from outside, nothing of a model's runs --------------------------------------------------


def policy_of(page: str) -> dict[str, str]:
    (content,) = (a["content"] or "" for t, a in Outline(page).elements if a.get("http-equiv"))
    return dict(rule.split(" ", 1) for rule in content.split("; "))


def test_the_policy_knows_just_our_scripts_and_styles(seed: Trace) -> None:
    page = trace_page(seed)
    rules = policy_of(page)
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)

    def hashes(texts: list[str]) -> str:
        return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in texts)

    assert rules.pop("script-src") == hashes(scripts)
    assert rules.pop("style-src") == hashes(styles)
    assert rules == {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script")


def check_alone(page: str) -> None:
    """No element, attribute or address that a page of ours does not have."""
    outline = Outline(page)
    assert outline.faults == []
    assert outline.open == []
    tags = {tag for tag, _ in outline.elements}
    assert tags & {"img", "iframe", "object", "embed", "base", "form", "foreignobject", "image", "use"} == set()
    assert [tag for tag, _ in outline.elements].count("script") == 5
    for tag, attributes in outline.elements:
        assert not any(name.startswith("on") or name in ("style", "srcdoc") for name in attributes), tag
        for name in ("src", "href", "xlink:href", "action"):
            assert re.fullmatch(r"#step=\d+|data:,|\.\./index\.html", attributes.get(name) or "#step=0"), attributes


@pytest.mark.parametrize("trace", all_traces(), ids=lambda t: f"{t.model.name}-{t.property}")
def test_every_counterexample_stands_alone_and_is_small(trace: Trace) -> None:
    page = trace_page(trace, sources_of(trace, ROOT))
    check_alone(page)
    assert len(page) < 700_000


def test_markup_in_every_name_stays_text() -> None:
    for trace in (ext3(), next(t for t in all_traces() if t.property == "deadlock"), read_trace(SEED)):
        page = trace_page(hostile(trace), why=[NASTY], home="../index.html")
        check_alone(page)
        assert "<img" not in page
        assert "\u202e" not in page
        assert json.loads(Outline(page).blocks["copies"])["json"] == encode(hostile(trace))


def test_markup_in_a_model_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "hostile_model.py"
    path.write_text(MODEL)
    (model,) = load_module(str(path)).models
    (trace,) = check_class(model, {}).traces
    page = trace_page(trace, sources_of(trace, tmp_path))
    check_alone(page)
    assert "<img" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)" in page


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(traces())
def test_any_trace_makes_a_page(trace: Trace) -> None:
    page = trace_page(trace, home="../index.html", why=[trace.property])
    page.encode("utf-8")
    check_alone(page)


# -- the command --------------------------------------------------------------------------------------


def test_show_writes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    target = tmp_path / "race.html"
    result = CliRunner().invoke(cli, ["show", str(SEED), "--format", "html", "-o", str(target)])
    assert (result.exit_code, result.output) == (0, "")
    trace = read_trace(SEED)
    assert target.read_text() == trace_page(trace, sources_of(trace, ROOT))
    monkeypatch.chdir(tmp_path)
    elsewhere = CliRunner().invoke(cli, ["show", str(SEED), "--format", "html"])
    assert "the file is not at hand; these are the lines that the trace keeps" in elsewhere.output
