"""The page of a trace as a reader has it: in Chromium, from a file, without a network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import chromium
import pytest
from hostile import NASTY, hostile
from render_traces import all_traces, ext3

from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import trace_page
from dio_mc.render.commit import render_commit
from dio_mc.trace.codec import read_trace
from dio_mc.trace.trace import Trace

pytestmark = chromium.needed
ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
Open = Callable[..., Any]


@pytest.fixture
def show(tmp_path: Path) -> Open:
    """Opens the page of a trace from a file, at a hash."""

    def opened(page: str, hash_: str = "", *, name: str = "page.html") -> Any:
        path = tmp_path / name
        path.write_text(page, encoding="utf-8")
        driver = chromium.browser()
        driver.get("about:blank")
        chromium.complaints(driver)
        driver.get(path.as_uri() + hash_)
        return driver

    return opened


@pytest.fixture
def seed(show: Open) -> Open:
    trace = read_trace(SEED)
    return lambda hash_="": show(trace_page(trace, sources_of(trace, ROOT)), hash_)


def words(driver: Any, selector: str) -> str:
    return " ".join(driver.execute_script("return document.querySelector(arguments[0]).innerText", selector).split())


def walk(driver: Any, expression: str) -> list[Any]:
    """The value of an expression of JavaScript at each step, from the start to the end."""
    found: list[Any] = driver.execute_async_script(
        "const done = arguments[0], found = [];"
        "(async () => { for (let n = 0; n <= document.querySelectorAll('svg.dm g[data-step]').length - 1; n++) {"
        " location.hash = `step=${n}`; await new Promise((r) => setTimeout(r, 0));"
        f" found.push({expression}); }} done(found); }})()"
    )
    return found


ROWS = (
    "[...document.querySelectorAll('#state tbody tr')].map((r) => [r.cells[0].firstChild.data,"
    " r.cells[1].textContent.replace(/^.* \u2192 /, '').replace(' \u2717', '')])"
)


def step_of(driver: Any) -> int:
    return int(words(driver, "#number"))


def arrive(driver: Any, step: int) -> None:
    """Wait until the page is at this step: one that a link leads to is shown in an event after the click."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(driver, 30).until(lambda _: step_of(driver) == step, f"step {step} is not shown")


def press(driver: Any, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(driver).send_keys(*keys).perform()


@pytest.mark.slow
def test_every_violated_model_opens_without_a_complaint(show: Open) -> None:
    """One counterexample of every third model; every third of these is walked through."""
    of_models = {(t.model.file, t.model.name): t for t in all_traces() if t.kind == "violation"}
    assert len(of_models) > 60
    for position, trace in enumerate(list(of_models.values())[::3]):
        driver = show(trace_page(trace, sources_of(trace, ROOT)))
        assert step_of(driver) == len(trace.steps)
        if position % 3 == 0:
            numbers = walk(driver, "document.getElementById('number').value")
            assert numbers == list(map(str, range(len(trace.steps) + 1)))
        assert chromium.complaints(driver) == [], f"{trace.model.name} {trace.property}"


@pytest.mark.slow
def test_the_golden_folder_opens_without_a_complaint(show: Open) -> None:
    for path in sorted((ROOT / "counterexamples").rglob("*.json"))[::2]:
        trace = read_trace(path)
        driver = show(trace_page(trace, sources_of(trace, ROOT), home="../index.html"))
        assert chromium.complaints(driver) == [], str(path)
        ticks = driver.execute_script("return document.querySelectorAll('.tick').length")
        assert ticks == len(trace.standings) * (len(trace.steps) + 1)


def test_keys_step_and_the_address_follows(seed: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = seed("#step=0")
    gone = []
    for key in (Keys.ARROW_RIGHT, "j", Keys.ARROW_DOWN, Keys.ARROW_LEFT, "k", Keys.ARROW_UP, Keys.ARROW_LEFT, Keys.END,
                Keys.ARROW_RIGHT, Keys.HOME):  # fmt: skip
        press(driver, key)
        gone.append(step_of(driver))
        assert driver.execute_script("return location.hash") == f"#step={gone[-1]}"
    assert gone == [1, 2, 3, 2, 1, 0, 0, 12, 12, 0]


def test_arrows_scroll_where_there_is_something_to_scroll(seed: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    driver = seed("#step=3")
    driver.execute_script("document.querySelector('.source:not([hidden]) .lines').focus()")
    press(driver, Keys.ARROW_DOWN)
    assert step_of(driver) == 3
    press(driver, "j")
    assert step_of(driver) == 4


@pytest.mark.parametrize(
    ("hash_", "step"), [("#step=7", 7), ("#step=99", 12), ("#step=-1", 12), ("#<img src=x>", 12), ("", 12)]
)
def test_the_address_chooses_the_step(seed: Open, hash_: str, step: int) -> None:
    driver = seed(hash_)
    assert step_of(driver) == step
    assert chromium.complaints(driver) == []


def test_the_buttons_the_dots_the_picture_and_the_source_lead_to_steps(seed: Open) -> None:
    driver = seed("#step=5")
    for selector, step in (
        ("#on", 6), ("#back", 5), ("#first", 0), ("#last", 12), (".dots li:nth-child(4) a", 3),
        ("svg.dm g[data-step='9'] text.b", 9), (".source:not([hidden]) .marks a[href='#step=8']", 8),
    ):  # fmt: skip
        driver.find_element("css selector", selector).click()
        arrive(driver, step)


def test_a_step_is_told_in_full(seed: Open) -> None:
    driver = seed("#step=9")
    assert words(driver, "#step").startswith("CPU2 pdflush (daemon) ext3_ordered_writepage() \u203a ext3_get_block()")
    assert "fs/ext3/inode.c:ext3_get_block @2.6.18 \u00b7 models/seed/pagecache.py:114" in words(driver, "#step")
    assert words(driver, "#state tr.changed") == "block[0] HOLE \u2192 MAPPED step 9"
    assert words(driver, "#locks") == (
        "i_mutex CPU0 reader since step 1 i_alloc_sem (reading) CPU0 reader since step 4 "
        "page_lock[0] CPU2 pdflush (daemon) since step 8"
    )
    assert words(driver, "#instead").startswith("CPU0 reader return block[index] == Block.MAPPED")
    assert words(driver, ".source:not([hidden]) .line.now code").startswith("self.block[index] = Block.MAPPED")
    told = driver.execute_script("return [...document.querySelectorAll('.property .word')].map((w) => w.innerText)")
    assert told == ["holds", "violated", "not here"]
    assert words(driver, "#said") == "Step 9 of 12, pdflush: block[index] = Block.MAPPED"
    press(driver, "j", "j", "j")
    assert words(driver, "#state tr.wrong") == "seen[0] ZERO \u2192 STALE \u2717 step 12"


def test_the_current_line_is_in_sight_at_every_step(seed: Open) -> None:
    seen = walk(
        seed(),
        "(() => { const line = document.querySelector('.source:not([hidden]) .line.now');"
        " if (!line) return null;"
        " const at = line.getBoundingClientRect(), box = line.closest('.lines').getBoundingClientRect();"
        " return [line.dataset.line, at.top >= box.top && at.bottom <= box.bottom]; })()",
    )
    lines = [str(step.place.line) for step in read_trace(SEED).steps if step.place is not None]
    assert seen == [None, *([line, True] for line in lines)]


def test_a_printed_page_has_the_whole_picture(seed: Open) -> None:
    driver = seed("#step=9")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 700, "height": 990, "deviceScaleFactor": 1, "mobile": False}
    )
    try:
        edges = "const b = arguments[0].getBoundingClientRect(); return [b.left, b.right]"
        left, right = driver.execute_script(edges, driver.find_element("css selector", "svg.dm"))
        assert left >= 0
        assert right <= 700
        assert not driver.find_element("css selector", ".stepper").is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_fault_is_told_once_at_the_step_where_it_happens(show: Open) -> None:
    trace = next(t for t in all_traces() if t.final_fault is not None and t.steps)
    driver = show(trace_page(trace))
    told = driver.execute_script(
        "return [...document.querySelectorAll('#step .fault, #step .finally')].map((e) => e.innerText)"
    )
    assert told == [f"\u2717 {trace.final_fault.kind}: {trace.final_fault.message}"]
    assert words(driver, "#state-hint") == "before the fault: a fault has no state after it"


def test_on_a_narrow_screen_the_current_step_is_in_sight(seed: Open) -> None:
    driver = chromium.browser()
    size = {"width": 300, "height": 700, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        driver = seed("#step=11")
        dot, box = (
            driver.execute_script(
                "const b = document.querySelector(arguments[0]).getBoundingClientRect(); return [b.left, b.right]", s
            )
            for s in (".dots .here", ".dots")
        )
        assert box[0] <= dot[0] < dot[1] <= box[1]
        assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("width", [400, 700, 900, 1100, 1400])
def test_the_bar_of_steps_stays_a_bar(seed: Open, width: int) -> None:
    """Where there is no room beside the buttons, the dots go below them and not on top of each other."""
    driver = chromium.browser()
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        driver = seed("#step=5")
        height = driver.execute_script("return document.querySelector('.stepper').getBoundingClientRect().height")
        assert height < 150
        assert driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


STEPS_CONTRAST = """
const channel = (part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
const light = (colour) => {
  const [red, green, blue] = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => channel(part / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
return [...document.querySelectorAll(".dots .dot")].map((dot) => {
  const style = getComputedStyle(dot);
  const [high, low] = [light(style.color), light(style.backgroundColor)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05) * style.opacity;
});
"""


def test_the_numbers_of_steps_can_be_read(seed: Open) -> None:
    """WCAG asks for 4.5:1."""
    assert min(seed("#step=3").execute_script(STEPS_CONTRAST)) >= 4.5


def test_what_was_violated_once_stays_marked(seed: Open) -> None:
    """A step property is false of one step; afterwards it says of which."""
    driver = seed()
    words_of = "return [...document.querySelectorAll('.property .word')].map((word) => word.textContent)"
    first = next(s.at[0] for s in read_trace(SEED).standings if s.property == "no_hole_filled")
    assert f"violated at step {first}" in driver.execute_script(words_of)


def test_a_run_that_goes_on_for_ever_says_from_where(show: Open) -> None:
    trace = next(t for t in all_traces() if t.loop is not None and len(t.steps) > t.loop)
    driver = show(trace_page(trace))
    round_ = len(trace.steps) - trace.loop + 1
    assert words(driver, ".again") == f"\u21ba The last {round_} steps repeat forever, from step {trace.loop} on."
    driver.find_element("css selector", ".again a").click()
    driver.execute_async_script("setTimeout(arguments[0], 50)")
    assert step_of(driver) == trace.loop


@pytest.mark.parametrize("trace", all_traces()[::9], ids=lambda t: f"{t.model.name}-{t.property}")
def test_the_states_are_those_of_the_trace(show: Open, trace: Trace) -> None:
    shown = walk(show(trace_page(trace)), ROWS)
    for rows, state in zip(shown, trace.states(), strict=False):
        assert dict(rows) == {c.name: state[c.name] for c in trace.initial if c.role == "data"}


@pytest.mark.parametrize("what", ["commit", "json"])
def test_copying_puts_the_text_on_the_clipboard(seed: Open, what: str) -> None:
    driver = seed()
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    driver.find_element("css selector", f"[data-copy={what}]").click()
    driver.execute_async_script("setTimeout(arguments[0], 200)")
    assert words(driver, f"[data-copy={what}]") == "Copied"
    read = "navigator.clipboard.readText().then(arguments[0], (e) => arguments[0](String(e)))"
    wanted = render_commit(read_trace(SEED)) + "\n" if what == "commit" else SEED.read_text()
    assert driver.execute_async_script(read) == wanted


def test_copying_works_where_the_clipboard_is_refused(seed: Open) -> None:
    driver = seed()
    driver.execute_script(
        "navigator.clipboard.writeText = () => Promise.reject(new Error('no'));"
        "document.execCommand = (what) => { window.copied = getSelection().toString() ||"
        " document.activeElement.value; return what === 'copy'; };"
    )
    driver.find_element("css selector", "[data-copy=commit]").click()
    driver.execute_async_script("setTimeout(arguments[0], 100)")
    assert words(driver, "[data-copy=commit]") == "Copied"
    assert driver.execute_script("return window.copied.trim()") == render_commit(read_trace(SEED)).strip()


def hostile_traces() -> list[Trace]:
    chosen = [read_trace(SEED), ext3(), *(t for t in all_traces() if t.property == "deadlock" or t.final_fault)]
    return [hostile(trace) for trace in chosen[:6]]


def test_markup_in_every_name_runs_nothing(show: Open) -> None:
    """Be it in what a page is given as its cause, or in what it says itself of a circle of waiting threads."""
    circle = hostile(read_trace(ROOT / "counterexamples" / "philosophers.Philosophers" / "deadlock.json"))
    for trace, why in [*((trace, [NASTY]) for trace in hostile_traces()), (circle, None)]:
        driver = show(trace_page(trace, why=why, home=NASTY))
        count = "document.querySelectorAll('img,iframe,object,embed,body script:not([id])').length"
        assert set(walk(driver, count)) == {3}  # our own scripts
        assert driver.title.startswith(trace.property[:20])
        assert chromium.complaints(driver) == []


def test_the_policy_alone_would_stop_a_script(show: Open) -> None:
    """The wall after the escaping: markup put into the finished page neither runs nor loads."""
    trace = read_trace(SEED)
    attack = (
        "<script>document.title = 'owned'</script><img src=x onerror=\"document.title='owned'\">"
        "<a id=trap href=\"javascript:document.title='owned'\">x</a><iframe srcdoc='<script>top.document.title=1</script>'>"
        "</iframe>"
    )
    driver = show(trace_page(trace).replace("<main>", f"{attack}<main>", 1))
    driver.execute_script("document.getElementById('trap').click()")
    driver.execute_async_script("setTimeout(arguments[0], 200)")
    assert driver.title == "no_stale_exposure: violated - Ext3"
    assert any("Content Security Policy" in told for told in chromium.complaints(driver))


def test_a_trace_without_steps_and_one_with_very_many(show: Open) -> None:
    trace = read_trace(SEED)
    driver = show(trace_page(replace(trace, steps=(), standings=(), why=None)))
    assert words(driver, ".where") == "Step 0 of 0"
    many = tuple(replace(trace.steps[1], number=n, changes=(), local_changes=()) for n in range(1, 301))
    driver = show(trace_page(replace(trace, steps=many, why=None)), "#step=150")
    assert words(driver, ".where") == "Step 150 of 300"
    driver.execute_script(
        "const s = document.getElementById('slide'); s.value = 42; s.dispatchEvent(new Event('input'))"
    )
    assert step_of(driver) == 42
    assert chromium.complaints(driver) == []


def test_everything_has_a_name_for_a_reader_of_the_screen(seed: Open) -> None:
    driver = seed("#step=4")
    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    nameless = [
        node["role"]["value"]
        for node in tree
        if node.get("role", {}).get("value") in ("button", "link", "image", "img", "slider", "table")
        and not node.get("ignored")
        and not node.get("name", {}).get("value")
    ]
    assert nameless == []
    assert json.dumps(tree).count('"Step on"') >= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(seed: Open, scheme: str) -> None:
    """At least 4.5 : 1 for every text that is not part of the picture or switched off."""
    driver = chromium.browser()
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    try:
        driver = seed("#step=9")
        found = driver.execute_script(CONTRAST)
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(found) > 100
    assert {text: ratio for text, ratio in found if ratio < 4.5} == {}


CONTRAST = """
const shine = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > .99) return colour;
  }
  return [255, 255, 255];
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
  if (!text || element.closest('svg, script, noscript, .unseen, [hidden], button:disabled, .dots')) continue;
  if (!element.checkVisibility()) continue;
  const ink = shine(rgb(getComputedStyle(element).color)), paper = shine(ground(element));
  found.push([`${element.className} ${text}`, (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05)]);
}
return found;
"""
