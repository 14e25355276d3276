"""The conditions that a model must meet for a proof by views, and how an unmet condition is reported.

docs/any-number.md lists the conditions and shows where the proof uses them. Each unmet condition is reported at the
statement or declaration that violates it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.errors import Diagnostic
from dio_mc.source import Span

HINTS: Final = {
    "DIO253": "compare ids for equality only",
    "DIO254": "let the number of a thread only index arrays of one element per thread; PerThread and `me` do",
    "DIO255": "let all of them start alike, and change data from the first step on",
    "DIO256": "keep ids in common data, store `me` or None, compare with `me` or None",
    "DIO257": "ask all of them, with any or all",
    "DIO258": "ask with any or all, and only for what each thread keeps with PerThread",
    "DIO259": "split it, or say it of one thread and all others",
    "DIO260": "let only any and all range over threads",
    "DIO261": "keep it per thread (PerThread) and ask with any or all",
    "DIO262": "let a loop go through all pages, or choose one, and index arrays with it",
    "DIO263": "let each step be on one page",
    "DIO264": "keep pages in locals only",
    "DIO265": "give such arrays one element per page, all alike at the start",
    "DIO266": "say it of one page, whichever it is",
}
"""The default hint for each diagnostic code."""


class Refused(Exception):
    """The program does not meet the conditions. `diagnostics` has one located diagnostic per violation, without
    duplicates."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = tuple(dict.fromkeys(diagnostics))


OF_PAGES: Final = "let only loops, choose, any and all range over pages"
"""The hint for a statement or declaration that uses the number of pages as a number."""
NO_CRASHES: Final = "no proof for any number of threads covers crashes"
"""The hint for a model that has crashes."""


def unmet(code: str, message: str, span: Span | None, hint: str = "") -> Diagnostic:
    """The diagnostic for an unmet condition. `hint` replaces the default hint of the code if it is not empty."""
    return Diagnostic(code, message, span, hint or HINTS[code])


def refusal(code: str, message: str, span: Span | None, hint: str = "") -> Refused:
    """The exception to raise for a single unmet condition; the arguments are those of `unmet`."""
    return Refused((unmet(code, message, span, hint),))
