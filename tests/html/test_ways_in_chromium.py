"""Other ways than the trace's, taken by clicks: in a file as far as it knows them, on the server without an end."""

from __future__ import annotations

import http.client
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import pytest

from dio_mc.cli.exploring import Models, ways_of
from dio_mc.explain.replaying import program_of
from dio_mc.html.serve import Server
from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import trace_page
from dio_mc.stepping.script import parse
from dio_mc.stepping.walk import begin, end_of, follow
from dio_mc.trace.codec import read_trace
from dio_mc.trace.naming import Naming

pytestmark = chromium.needed
ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
TAKES = "[...document.querySelectorAll(arguments[0])].map((e) => e.innerText.replace(/\\s+/g, ' ').trim())"
STATE = (
    "return Object.fromEntries([...document.querySelectorAll('#state tbody tr')].map((r) => [r.cells[0].firstChild.data,"
    " r.cells[1].textContent.replace(/^.* \u2192 /, '').replace(' \u2717', '')]))"
)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(ROOT)
    trace = read_trace(SEED)
    ways = ways_of(trace, str(SEED), None)
    path = tmp_path / "page.html"
    path.write_text(trace_page(trace, sources_of(trace, ROOT), ways=ways), encoding="utf-8")
    driver = chromium.browser()

    def opened(hash_: str = "") -> Any:
        driver.get("about:blank")
        chromium.complaints(driver)
        driver.get(path.as_uri() + hash_)
        return driver

    return opened


def words(driver: Any, selector: str) -> str:
    return " ".join(driver.execute_script("return document.querySelector(arguments[0]).innerText", selector).split())


def click(driver: Any, selector: str, number: int = 0) -> None:
    driver.execute_script("document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, number)


def takes(driver: Any, box: str) -> list[str]:
    return list(driver.execute_script(f"return {TAKES}", f"#{box} .take"))


def test_another_step_is_taken_and_undone(page: Any) -> None:
    driver = page("#step=5")
    assert takes(driver, "instead") == ["CPU0 reader return block[index] == Block.MAPPED"]
    assert takes(driver, "onward") == [
        "CPU0 reader return block[index] == Block.MAPPED",
        "CPU1 mapper slot[index] = Slot.UPTODATE; page_lock[index].unlock() next in this run",
    ]
    click(driver, "#instead .take")
    assert driver.execute_script("return location.hash") == "#step=5&way=4.0"
    assert words(driver, ".where") == "Step 5 of 5"
    assert words(driver, "#detour") == "Another way after step 4 5 Undo Back to the trace Copy for dio-mc step"
    assert words(driver, "#step").startswith("CPU0 reader __blockdev_direct_IO() \u203a ext3_get_block() return block")
    assert words(driver, "#locks") == "i_mutex CPU0 reader i_alloc_sem (reading) CPU0 reader"
    click(driver, "#onward .take")
    click(driver, "#onward .take")
    assert words(driver, ".where") == "Step 7 of 7"
    click(driver, "#back")
    assert words(driver, ".where") == "Step 6 of 7", "one can go back on a way without losing it"
    click(driver, "#detour button")
    assert words(driver, ".where") == "Step 6 of 6"
    chromium_press(driver, "u")
    chromium_press(driver, "u")
    assert driver.execute_script("return location.hash") == "#step=4"
    assert words(driver, ".where") == "Step 4 of 12"
    assert not driver.find_element("css selector", "#detour").is_displayed()
    assert chromium.complaints(driver) == []


def chromium_press(driver: Any, key: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver).send_keys(key).perform()


def test_the_step_that_the_run_takes_anyway_is_no_other_way(page: Any) -> None:
    driver = page("#step=5")
    click(driver, "#onward .take", 1)
    assert driver.execute_script("return location.hash") == "#step=6"
    assert words(driver, ".where") == "Step 6 of 12"


def test_a_way_that_violates_says_so_before_and_after(page: Any) -> None:
    driver = page("#step=8")
    assert "violates no_hole_filled" in " ".join(takes(driver, "onward"))
    driver = page("#step=9&way=7.1.1")
    told = words(driver, "#step")
    assert "no_hole_filled is violated" in told, takes(driver, "onward")
    assert "violated" in words(driver, "#properties")
    driver = page("#step=10&way=9.1")
    assert words(driver, ".where") == "Step 10 of 10"
    assert "no_hole_filled violated at step 9" in words(driver, "#properties"), "what came before the way counts too"


@pytest.mark.parametrize(
    "hash_", ["#step=5&way=4.7", "#step=5&way=99.0", "#step=5&way=4.0.0.0.0.0.0.0", "#step=5&way=4."]
)
def test_an_address_that_the_page_does_not_have_is_one_of_the_trace(page: Any, hash_: str) -> None:
    driver = page(hash_)
    assert words(driver, ".where") in ("Step 5 of 12", "Step 12 of 12")
    assert chromium.complaints(driver) == []


def test_every_way_has_the_states_of_its_schedule(page: Any) -> None:
    """Clicked at random to the end of what the page knows; the command that it gives leads to the same state."""
    driver = page("#step=3")
    program = program_of(read_trace(SEED), str(SEED), str(ROOT / "models/seed/ext3_2_6_18.py"), None)
    for number in range(8):
        driver = page(f"#step={number}")
        while len(options := driver.find_elements("css selector", "#onward .take")):
            driver.execute_script("arguments[0].click()", options[-1 - number % 2] if len(options) > 1 else options[0])
            if "Step 12 of 12" in words(driver, ".where"):
                break
        driver.execute_script(
            "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"
        )
        if "Copy for dio-mc step" not in words(driver, "body"):
            continue
        click(driver, "#detour .copy")
        command = driver.execute_async_script("setTimeout(() => arguments[0](window.copied), 20)")
        head, _, schedule = command.partition(' "')
        assert head == "dio-mc step models/seed/ext3_2_6_18.py --model Ext3"
        *_, walk = follow(begin(program), parse(schedule.rstrip('"')))
        shown = driver.execute_script(STATE)
        cells = Naming(program, walk.interpreter.layout).cells(walk.states[-1])
        assert shown == {c.name: c.value for c in cells if c.role == "data"}


def test_where_the_page_ends_it_says_how_to_go_on(page: Any) -> None:
    driver = page("#step=2")
    while (options := driver.find_elements("css selector", "#onward .take")) and "of 12" in words(driver, ".where"):
        driver.execute_script("arguments[0].click()", options[-1])
    while options := driver.find_elements("css selector", "#onward .take"):
        driver.execute_script("arguments[0].click()", options[0])
    assert words(driver, "#onward").startswith(
        "This page knows at most 4 steps beside the trace. dio-mc step goes on from here."
    )


# -- on the server ------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.chdir(ROOT)
    shutil.copytree(SEED.parent, tmp_path / "served" / "Ext3")
    shutil.copytree(SEED.parents[1] / "philosophers.Philosophers", tmp_path / "served" / "other")
    explorer = Models([ROOT / "models/seed/ext3_2_6_18.py"])
    with Server(tmp_path / "served", ROOT, explorer=explorer) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_on_the_server_ways_have_no_end(server: Server) -> None:
    driver = chromium.browser()
    driver.get(f"{server.url}Ext3/no_stale_exposure.html#step=5")
    chromium.complaints(driver)
    click(driver, "#instead .take")
    assert words(driver, "h1") == "Another way"
    assert words(driver, ".where") == "Step 5 of 5"
    for _ in range(5):
        click(driver, "#onward .take")
    assert words(driver, ".where") == "Step 10 of 10"
    assert "the first 4 steps of no_stale_exposure, then 6 steps chosen by hand" in words(driver, "header")
    assert driver.execute_script("return document.querySelectorAll('svg.dm g[data-step]').length") >= 10
    click(driver, "header .about a", 1)
    assert words(driver, ".where") == "Step 9 of 9"
    driver.find_element("css selector", "#watch").send_keys("dirty[0] or finished(reader)")
    click(driver, ".ask button")
    assert words(driver, "#watches").startswith("dirty[0] or finished(reader) = ")
    assert words(driver, "#watches") == "dirty[0] or finished(reader) = True remove"
    click(driver, "#first")
    assert words(driver, "#watches") == "dirty[0] or finished(reader) = False remove"
    click(driver, "header .about a", 0)
    assert words(driver, "h1") == "violated no_stale_exposure"
    assert words(driver, "#watches").startswith("dirty[0] or finished(reader) = ")
    assert chromium.complaints(driver) == []


def test_what_can_follow_leads_to_runs(server: Server) -> None:
    driver = chromium.browser()
    driver.get(f"{server.url}Ext3/no_stale_exposure.html?to=4&rest=1")
    chromium.complaints(driver)
    told = driver.execute_script(f"return {TAKES}", ".right .list li")
    assert "no_stale_exposure VIOLATED in 8 more steps show the run" in told
    assert "deadlock holds" in told
    number = next(n for n, text in enumerate(t for t in told if "show the run" in t) if "no_stale" in text)
    links = driver.find_elements("css selector", ".right .list a[href*='then=']")
    runs = [link for link in links if link.text == "show the run"]
    runs[number].click()
    assert words(driver, "h1") == "violated no_stale_exposure, no_hole_filled"
    assert words(driver, ".where") == "Step 12 of 12"
    assert chromium.complaints(driver) == []


def ask(server: Server, path: str, **headers: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def test_only_named_models_run(server: Server) -> None:
    text = ask(server, "/other/deadlock.html?then=philosopher[0]")
    assert "To try other ways, name the model: dio-mc browse --explore models/toys/philosophers.py" in text
    assert '"live":null' in text


def test_what_a_page_elsewhere_asks_is_ignored(server: Server) -> None:
    path = "/Ext3/no_stale_exposure.html?to=4&then=reader"
    assert "<h1>Another way" in ask(server, path)
    assert "<h1>Another way" in ask(server, path, Sec_Fetch_Site="same-origin")
    for site in ("cross-site", "same-site"):
        assert "<h1>Another way" not in ask(server, path, Sec_Fetch_Site=site)


def test_what_is_not_possible_is_said(server: Server) -> None:
    text = ask(server, "/Ext3/no_stale_exposure.html?to=4&then=reader;pdflush")
    assert "This schedule is not possible: step 6: pdflush cannot run: it waits at" in text
    assert "then 1 step chosen by hand" in text
    text = ask(server, "/Ext3/no_stale_exposure.html?to=4&then=%3Cimg+src%3Dx%3E")
    assert "<img" not in text
    assert "expected THREAD, THREAD N" in text
    text = ask(server, "/Ext3/no_stale_exposure.html?watch=%3C/script%3E&watch=drty")
    assert '</script>"' not in text
    assert "Ext3 has no attribute `drty`" in text


def test_a_model_that_has_changed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models/seed").mkdir(parents=True)
    source = (ROOT / "models/seed/ext3_2_6_18.py").read_text()
    shutil.copy(ROOT / "models/seed/pagecache.py", tmp_path / "models/seed")
    (tmp_path / "models/seed/ext3_2_6_18.py").write_text(source.replace("self.i_alloc_sem.down_read()", "pass"))
    trace = read_trace(SEED)
    program = program_of(trace, str(SEED), str(ROOT / trace.model.file), None)
    assert end_of(program, trace).steps
    shutil.copytree(SEED.parent, tmp_path / "served")
    with Server(tmp_path / "served", tmp_path, explorer=Models([tmp_path / "models"])) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        text = ask(running, "/no_stale_exposure.html")
        running.shutdown()
        thread.join()
    assert "The model has changed since this trace was taken: " in text
