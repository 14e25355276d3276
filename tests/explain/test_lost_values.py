"""What got lost is named, though nothing that is left depends on it."""

from __future__ import annotations

from explained import cases

from dio_mc.render.why import why_sentences


def test_the_store_that_was_overwritten_is_named() -> None:
    trace = next(c.trace for c in cases() if c.name == "Counter@n=3-nothing_lost")
    trace = trace.with_failing([("x == 2 * n", "x=2")])
    assert trace.why is not None
    assert trace.why.window is not None
    stores = [n for n in trace.why.window.inside if any(c.cell == "x" for c in trace.steps[n - 1].changes)]
    (told,) = [sentence for sentence in why_sentences(trace) if sentence.startswith("While ")]
    assert stores == [7, 9, 11]
    assert "CPU1 seen = x (6), x = seen + 1 (7,9,11)" in told
