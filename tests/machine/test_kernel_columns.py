"""The published matrix: no kernel is worse than the rule that describes it, and what is better is explained."""

from __future__ import annotations

import runpy

from guests import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "kernel_matrix.py"))
PUBLISHED = ROOT / "docs" / "kernels.json"


def test_rules_and_kernels_differ_where_the_page_says() -> None:
    model, real = (TOOL["columns"](PUBLISHED, models=models) for models in (True, False))
    found = {line.partition(":")[0] for line in TOOL["differences"](model, real)}
    pairs = ("aio_write x mmap_store", "read x punch_hole", "readahead x punch_hole", "write x aio_write")
    assert {line.rpartition(" ")[0] for line in found} == {f"better {pair}" for pair in pairs}
    page = (ROOT / "docs" / "kernels.md").read_text()
    assert all(f"`{pair}`" in page for pair in pairs)


def test_the_picture_is_that_of_the_data() -> None:
    model, real = (TOOL["columns"](PUBLISHED, models=models) for models in (True, False))
    both = TOOL["beside"](model, real)
    assert (ROOT / "docs" / "kernels.svg").read_text() == TOOL["matrix_svg"](both)
    assert set(both.rules) == set(real.rules) | set(TOOL["DESCRIBES"])
