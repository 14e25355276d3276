"""How results display themselves: a trace as a picture, a report as text, or as a table in a notebook.

The drawing function is registered when the package is imported (`dio_mc/__init__.py`), so that the data classes import
no renderer.
"""

from __future__ import annotations

from collections.abc import Callable

Draw = Callable[[str, object], str]
"""(form, object) -> text. A form is ``trace.svg``, ``report.txt``, ...; an unknown form raises `ValueError`."""

_handed_in: list[Draw] = []


def hand_in(draw: Draw) -> None:
    """Register `draw` as the function that draws results."""
    _handed_in[:] = [draw]


def drawn(form: str, shown: object) -> str:
    """The object `shown`, drawn as text in the given form."""
    return _handed_in[0](form, shown)
