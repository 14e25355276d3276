"""Pictures as Chromium draws them, with the fonts that are here: nothing is cut off, no two headings meet."""

from __future__ import annotations

import chromium
from render_traces import all_traces

from dio_mc.render.svg import render_svg

pytestmark = chromium.needed

OUTSIDE = """
document.body.innerHTML = arguments[0];
const svg = document.querySelector("svg"), page = svg.getBoundingClientRect(), wrong = [];
for (const text of svg.querySelectorAll("text")) {
    const box = text.getBoundingClientRect();
    if (box.left < page.left - 1 || box.right > page.right + 1 || box.top < page.top - 1 || box.bottom > page.bottom + 1)
        wrong.push(text.textContent);
}
const heads = [...svg.querySelectorAll("text.h")].map((text) => text.getBoundingClientRect());
for (let n = 1; n < heads.length; n++) if (heads[n - 1].right > heads[n].left) wrong.push(`headings ${n - 1} and ${n}`);
return wrong;
"""


def test_no_text_is_cut_off_and_no_heading_runs_into_the_next() -> None:
    driver = chromium.browser()
    driver.get("about:blank")
    pictures = {f"{trace.model.name} {trace.property}": render_svg(trace) for trace in all_traces()}
    assert len(pictures) > 150
    assert {name: wrong for name, svg in pictures.items() if (wrong := driver.execute_script(OUTSIDE, svg))} == {}
