"""The index in Chromium: from a file and from the server, graphs drawn without Graphviz, nothing of a graph runs."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import chromium
import pytest
from hostile import NASTY

from dio_mc.html.folder import scan
from dio_mc.html.index_page import MOST_SECONDS, index_page
from dio_mc.html.pages import write_pages
from dio_mc.html.serve import Server

pytestmark = chromium.needed
ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3"
Shown = Callable[..., Any]

HOSTILE_DOT = r"""digraph "</script><img src=x onerror=alert(1)>" {
  graph [URL="javascript:document.title='owned'", stylesheet="http://evil.example/x.css", tooltip="<img src=x onerror=alert(1)>"];
  a [label="</title></svg><img src=x onerror=document.title='owned'>", URL="javascript:document.title='owned'", target="_top",
     tooltip="<script>document.title='owned'</script>", id="data", class="x\" onload=\"alert(1)", fontname="url(http://evil.example)"];
  b [shape=none, image="http://evil.example/x.png", label=<<table><tr><td href="javascript:alert(1)" tooltip="t">html</td></tr></table>>];
  c [style=filled, fillcolor="url(http://evil.example)", label="]]><script>alert(1)</script>"];
  a -> b [edgeURL="javascript:document.title='owned'", label="&lt;img src=x onerror=alert(1)&gt;"];
  b -> c [headlabel="<svg onload=alert(1)>"];
}"""


@pytest.fixture
def show(tmp_path: Path) -> Shown:
    def opened(files: dict[str, str], hash_: str = "", seconds: int = 60) -> Any:
        folder = tmp_path / "folder"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        page = tmp_path / "index.html"
        page.write_text(index_page(scan(folder)).replace(f'data-seconds="{MOST_SECONDS}"', f'data-seconds="{seconds}"'))
        driver = chromium.browser()
        driver.get("about:blank")
        chromium.complaints(driver)
        driver.get(page.as_uri() + hash_)
        return driver

    return opened


def settled(driver: Any, seconds: float = 60) -> str:
    """What the viewer says once it has drawn or given up: empty, or the reason."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        note = driver.execute_script("return document.getElementById('note').textContent")
        if note != "Drawing ...":
            return str(note)
        time.sleep(0.05)
    raise AssertionError("still drawing")


def press(driver: Any, name: str) -> str:
    driver.execute_script("document.querySelector(`[data-graph=${CSS.escape(arguments[0])}]`).click()", name)
    return settled(driver)


def drawn(driver: Any, selector: str) -> list[str]:
    found: list[str] = driver.execute_script(
        "return [...document.querySelectorAll(`#drawing ${arguments[0]}`)].map((e) => e.textContent.trim())", selector
    )
    return found


def test_every_graph_of_the_golden_folder_is_drawn_without_a_complaint(tmp_path: Path) -> None:
    """From a written file; the states of the path are the nodes."""
    golden = ROOT / "counterexamples"
    write_pages(golden, tmp_path, ROOT)
    driver = chromium.browser()
    driver.get("about:blank")
    chromium.complaints(driver)
    driver.get((tmp_path / "index.html").as_uri())
    folder = scan(golden)
    steps = {found.graph: len(found.trace.steps) for found in folder.traces}
    for graph in folder.graphs[::4]:
        assert press(driver, graph.name) == "", graph.name
        assert len(drawn(driver, ".node")) > steps[graph.name]
    assert chromium.complaints(driver) == []


def test_a_trace_is_one_click_from_the_served_index() -> None:
    driver = chromium.browser()
    with Server(ROOT / "counterexamples", ROOT) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            driver.get("about:blank")
            chromium.complaints(driver)
            driver.get(server.url)
            name = "ext3_2_6_18.Ext3/no_stale_exposure"
            assert press(driver, f"{name}.dot") == ""
            driver.find_element("css selector", f"a[href='{quote(name)}.html']").click()
            assert driver.title == "no_stale_exposure: violated - Ext3"
            driver.find_element("css selector", "a.home").click()
            assert driver.title == "Counterexamples: counterexamples"
            assert chromium.complaints(driver) == []
        finally:
            driver.get("about:blank")
            server.shutdown()
            thread.join()


def test_a_node_tells_its_state_when_it_is_picked(show: Shown) -> None:
    driver = show({"a.dot": 'digraph { s [label="one", tooltip="x = 1\\ny = 2"]; s -> t }'})
    assert press(driver, "a.dot") == ""
    driver.execute_script(
        "document.querySelector('#drawing [data-tip]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert driver.execute_script("return document.getElementById('details').innerText") == "x = 1\ny = 2"


def test_the_address_names_the_graph_and_escape_closes_it(show: Shown) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    driver = show({"d/a b.dot": "digraph { x -> y }"}, "#graph=d%2Fa%20b.dot")
    assert settled(driver) == ""
    assert drawn(driver, ".node") == ["x", "y"]
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    assert driver.execute_script("return document.getElementById('viewer').hidden")
    assert driver.execute_script("return location.hash") == ""


def test_a_graph_can_be_made_larger_and_fits_at_first(show: Shown) -> None:
    wide = "digraph { rankdir=LR; " + " -> ".join(f"node_with_a_long_name_{n}" for n in range(30)) + " }"
    driver = show({"a.dot": wide}, "#graph=a.dot")
    assert settled(driver) == ""
    width = "return Number(document.querySelector('#drawing svg').getAttribute('width'))"
    first = driver.execute_script(width)
    assert first <= driver.execute_script("return document.getElementById('drawing').clientWidth")
    driver.find_element("id", "in").click()
    assert driver.execute_script(width) == pytest.approx(first * 1.25, abs=2)
    driver.find_element("id", "fit").click()
    assert driver.execute_script(width) == first


@pytest.mark.parametrize("text", ["", "no graph at all", "digraph {", "digraph { a -> }", '{"schema": 1}'])
def test_what_is_no_graph_is_said_and_the_next_one_is_drawn(show: Shown, text: str) -> None:
    driver = show({"bad.dot": text, "good.dot": "digraph { x -> y }"})
    assert press(driver, "bad.dot").startswith("Not drawn: ")
    assert press(driver, "good.dot") == ""
    assert drawn(driver, ".node") == ["x", "y"]


def test_a_graph_that_takes_too_long_is_given_up(show: Shown) -> None:
    chance = random.Random(1)
    edges = ";".join(f"n{chance.randrange(600)} -> n{chance.randrange(600)}" for _ in range(1500))
    driver = show({"huge.dot": f"digraph {{ {edges} }}", "good.dot": "digraph { x -> y }"}, seconds=2)
    assert press(driver, "huge.dot") == "Not drawn: given up after 2 seconds: too large to draw"
    assert press(driver, "good.dot") == ""


def test_markup_in_a_graph_runs_nothing_loads_nothing_leads_nowhere(show: Shown) -> None:
    driver = show({"h.dot": HOSTILE_DOT, "n.dot": f"digraph {{ a [label={NASTY!r}] }}"})
    title = driver.title
    assert press(driver, "h.dot") == ""
    kinds = "return [...new Set([...document.querySelectorAll('#drawing *')].map((e) => e.localName))].sort()"
    assert set(driver.execute_script(kinds)) <= {"svg", "g", "path", "polygon", "ellipse", "text", "polyline", "defs",
                                                     "linearGradient", "stop"}  # fmt: skip
    names = "return [...new Set([...document.querySelectorAll('#drawing *')].flatMap((e) => e.getAttributeNames()))]"
    assert not [n for n in driver.execute_script(names) if n.startswith("on") or "href" in n or n == "style"]
    assert "evil.example" not in driver.execute_script("return document.getElementById('drawing').outerHTML")
    driver.execute_script(
        "document.querySelectorAll('#drawing *').forEach((e) => e.dispatchEvent(new MouseEvent('click', {bubbles: true})))"
    )
    assert press(driver, "n.dot") != "Drawing ..."
    assert driver.title == title
    assert driver.execute_script("return document.querySelectorAll('img, #drawing script').length") == 0
    # Graphviz writes gradients as style attributes; the policy refuses them while they are parsed, and they are dropped.
    assert [told for told in chromium.complaints(driver) if "Applying inline style" not in told] == []


ENGINE_TURNED_BAD = """
const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9" onload="x()">
  <script>document.title = 'owned'</script><style>* { display: none }</style>
  <foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="document.title = 'owned'"/></foreignObject>
  <image href="http://evil.example/x.png"/><use href="#data"/><animate attributeName="href" values="javascript:x()"/>
  <iframe xmlns="http://www.w3.org/1999/xhtml" srcdoc="x"/>
  <a href="javascript:x()" xlink:href="javascript:x()" xlink:title="tip" style="color: red"><rect id="data" fill="url(http://evil.example)"/>
  <text fill=" URL( 'http://evil.example')" stroke="url(#g)" filter="url(#f)">kept</text></a></svg>`;
window.Worker = class { postMessage() { setTimeout(() => this.onmessage({ data: { svg } })); } terminate() {} };
"""


def test_an_engine_that_draws_a_script_draws_nothing_that_runs(show: Shown) -> None:
    """The drawing is taken over element by element, whatever Graphviz lets through."""
    driver = show({"a.dot": "digraph {}"})
    title = driver.title
    driver.execute_script(ENGINE_TURNED_BAD)
    assert press(driver, "a.dot") == ""
    found = driver.execute_script(
        "return [...document.querySelectorAll('#drawing *')].map((e) => [e.localName, e.getAttributeNames().sort().join()])"
    )
    assert found == [
        ["svg", "aria-label,height,role,viewBox,width"], ["g", "data-tip"], ["rect", "id"], ["text", "stroke"],
    ]  # fmt: skip
    assert (
        driver.execute_script("return document.querySelector('#drawing text').getAttribute('stroke')")
        == "url(#drawn-g)"
    )
    assert driver.title == title


def test_the_filter_leaves_what_has_every_word(show: Shown) -> None:
    files = {p.name: p.read_text() for p in SEED.iterdir()} | {"stray.dot": "digraph {}", "odd.bin": ""}
    driver = show(files)
    driver.find_element("id", "filter").send_keys("ext3 stale")
    rows = "return [...document.querySelectorAll('li')].filter((r) => r.checkVisibility()).map((r) => r.dataset.words)"
    assert driver.execute_script(rows) == ["no_stale_exposure no_stale_exposure.json"]
    assert driver.execute_script("return document.getElementById('matches').textContent") == "1 found"


def test_a_corrupt_folder_is_a_page_like_any_other(show: Shown) -> None:
    driver = show({"cut.json": (SEED / "no_stale_exposure.json").read_text()[:900], "x.bin": "", "e.dot": ""})
    assert chromium.complaints(driver) == []
    told = driver.execute_script("return document.querySelector('.refused').innerText")
    assert "cut.json" in told
    assert "x.bin" in told


def test_names_for_a_reader_of_the_screen(show: Shown) -> None:
    driver = show({p.name: p.read_text() for p in SEED.iterdir()}, "#graph=no_stale_exposure.dot")
    assert settled(driver) == ""
    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        n["role"]["value"] for n in tree if n.get("role") and not n.get("ignored") and n.get("name", {}).get("value")
    }
    bare = [
        n["role"]["value"] for n in tree if n.get("role", {}).get("value") in ("button", "link", "image", "searchbox")
        and not n.get("ignored") and not n.get("name", {}).get("value")
    ]  # fmt: skip
    assert bare == []
    assert {"button", "link", "searchbox"} <= named


def test_the_folder_is_not_touched(tmp_path: Path) -> None:
    shutil.copytree(SEED, tmp_path / "in")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (tmp_path / "in").rglob("*")}
    write_pages(tmp_path / "in", tmp_path / "out", ROOT)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (tmp_path / "in").rglob("*")} == before
