"""Every kind of page under axe-core, the checker of the accessibility rules of WCAG 2.1 A and AA: on three widths, light
and dark. Where a page is too wide, it is told too."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chromium
import pytest

from dio_mc.cli.exploring import Models, ways_of
from dio_mc.cli.site import one_page
from dio_mc.html.folder import scan
from dio_mc.html.index_page import index_page
from dio_mc.html.live import RunRequest
from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import trace_page
from dio_mc.study.matrix import NOT_THERE, Cell, Matrix
from dio_mc.study.tables import LETTERS
from dio_mc.trace.codec import read_trace

pytestmark = [chromium.needed, chromium.axe_needed]
ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "counterexamples"
SEED = GALLERY / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
WIDTHS = (420, 840, 1440)
RUN = """
const done = arguments[0];
axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }).then(
  (found) => done(found.violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(" ") + ": " + n.any.map((a) => a.message)[0])])),
  (error) => done([[String(error), []]]));
"""


def index(tmp_path: Path) -> str:
    folder = tmp_path / "folder"
    shutil.copytree(SEED.parent, folder / "Ext3")
    shutil.copytree(GALLERY / "philosophers.Philosophers", folder / "Philosophers")
    (folder / "broken.json").write_text("{")
    return index_page(scan(folder))


def explored(tmp_path: Path) -> str:
    trace = read_trace(SEED)
    return trace_page(trace, sources_of(trace, ROOT), ways=ways_of(trace, str(SEED), None), home="index.html")


def deadlock(tmp_path: Path) -> str:
    trace = read_trace(GALLERY / "philosophers.Philosophers" / "deadlock.json")
    return trace_page(trace, sources_of(trace, ROOT))


def live(tmp_path: Path) -> str:
    (found, *_) = [f for f in scan(SEED.parent).traces if f.name == SEED.name]
    shown = Models([ROOT / "models/seed/ext3_2_6_18.py"])(found, RunRequest(4, ("reader",), ("dirty[0]", "drty"), True))
    assert not isinstance(shown, str)
    return trace_page(shown.trace, sources_of(shown.trace, ROOT), ways=shown.ways, live=shown, home="index.html")


def matrix_of_all_verdicts(tmp_path: Path) -> str:
    verdicts = [verdict for verdict in LETTERS if verdict != NOT_THERE] + [NOT_THERE]
    groups = (("direct_read", "mmap_store"), ("aio_write", "punch_hole"))
    rules = tuple(f"rule_with_a_long_name_{n}" for n in range(len(verdicts)))
    trace = read_trace(SEED)
    cells = tuple(
        Cell(
            group,
            rule,
            verdict,
            (("hole", verdict),),
            "",
            ("data is read",),
            trace if verdict not in ("ok", NOT_THERE) else None,
        )
        for group in groups
        for rule, verdict in zip(rules, verdicts, strict=True)
    )
    return one_page(Matrix(rules, groups, cells))


PAGES: dict[str, tuple[Callable[[Path], str], str]] = {
    "index": (index, ""),
    "trace": (explored, "#step=6&way=4.0.0"),
    "deadlock": (deadlock, ""),
    "live": (live, "#step=5"),
    "matrix": (matrix_of_all_verdicts, ""),
}


@pytest.mark.parametrize("kind", PAGES)
def test_pages_keep_the_rules(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    make, hash_ = PAGES[kind]
    page = tmp_path / "page.html"
    page.write_text(make(tmp_path), encoding="utf-8")
    driver = chromium.browser()
    wrong: dict[str, Any] = {}
    try:
        driver.get(page.as_uri() + hash_)
        driver.execute_script(chromium.axe_text())
        for scheme in ("light", "dark"):
            driver.execute_cdp_cmd(
                "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            )
            for width in WIDTHS:
                size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
                driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
                if found := driver.execute_async_script(RUN):
                    wrong[f"{scheme} {width}"] = found
                if driver.execute_script("return document.documentElement.scrollWidth > innerWidth"):
                    wrong[f"{scheme} {width} wide"] = True
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert wrong == {}


def test_the_checker_sees_what_is_wrong(tmp_path: Path) -> None:
    """A page of ours with a text that hardly differs from its ground, and a field without a label."""
    page = tmp_path / "page.html"
    wrong = "<p style='color: #ddd; background: #fff'>hardly to be seen</p><input type='text'>"
    page.write_text(f"<!DOCTYPE html><html lang='en'><title>t</title><body>{wrong}</body></html>", encoding="utf-8")
    driver = chromium.browser()
    driver.get(page.as_uri())
    driver.execute_script(chromium.axe_text())
    assert {rule for rule, _ in driver.execute_async_script(RUN)} == {"color-contrast", "label"}
