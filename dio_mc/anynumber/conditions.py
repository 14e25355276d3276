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
    "DIO254": "use the number only to index arrays with one element per thread, or use PerThread and `me`",
    "DIO255": "give all threads the same initial data, and change shared data in steps only",
    "DIO256": "keep ids in global variables; store and compare with `me` or None only",
    "DIO257": "quantify over all of them, with any or all",
    "DIO258": "read only PerThread data of other threads, with any or all",
    "DIO259": "split the property, or relate fewer threads in it",
    "DIO260": "let only any and all range over threads",
    "DIO261": "keep the data per thread (PerThread) and quantify with any or all",
    "DIO262": "let a loop go through all pages, or choose one, and index arrays with it",
    "DIO263": "let each step access one page only",
    "DIO264": "keep page numbers in locals only",
    "DIO265": "give such arrays one element per page, all alike at the start",
    "DIO266": "quantify over one page at a time",
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
NO_SOLVER: Final = "write it without functions of z3"
"""The hint for a property that only the solver can decide."""
NO_CRASHES: Final = "no proof for any number of threads covers crashes"
"""The hint for a model that has crashes."""


def unmet(code: str, message: str, span: Span | None, hint: str = "") -> Diagnostic:
    """The diagnostic for an unmet condition. `hint` replaces the default hint of the code if it is not empty."""
    return Diagnostic(code, message, span, hint or HINTS[code])


def refusal(code: str, message: str, span: Span | None, hint: str = "") -> Refused:
    """The exception to raise for a single unmet condition; the arguments are those of `unmet`."""
    return Refused((unmet(code, message, span, hint),))
