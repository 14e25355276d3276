"""How results show themselves: a trace as its picture, a report as text or as a table in a notebook.

What draws them is handed in when the package is imported (`dio_mc/__init__.py`), so that data imports no renderer.
"""

from __future__ import annotations

from collections.abc import Callable

Draw = Callable[[str, object], str]
"""(form, what to show) -> text. A form is ``trace.svg``, ``report.txt``, ...; `ValueError` for one that is unknown."""

_handed_in: list[Draw] = []


def hand_in(draw: Draw) -> None:
    """Have `draw` show results from now on."""
    _handed_in[:] = [draw]


def drawn(form: str, shown: object) -> str:
    """What is to be shown, as text in a form."""
    return _handed_in[0](form, shown)
