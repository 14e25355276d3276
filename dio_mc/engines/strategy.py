"""How to search: what `choose` is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dio_mc.semantics.search import NO_REDUCTION, OnRay, Partial, Reductions

if TYPE_CHECKING:
    from pathlib import Path

EngineName = Literal["auto", "reference", "native"]


@dataclass(frozen=True, slots=True)
class Strategy:
    """How to search: the `engine`, the number of `workers` (threads of the native engine), and the
    `reductions`, which are used only if they are proved sound.

    - With `partial`, only a part of the states is covered.
    - With `disk`, an existing folder, a search of the native engine with more than
      `choose.FULL` states keeps its states there.
    - With `overflow`, a folder that is created on demand, a search that runs out of memory goes
      on, or starts again, with its states there.
    - With `ray`, a search of more than `choose.FULL` states is divided among processes. These
      write their levels to `disk`, or each to a local folder.
    """

    engine: EngineName = "auto"
    workers: int = 1
    reductions: Reductions = NO_REDUCTION
    partial: Partial | None = None
    disk: Path | None = None
    overflow: Path | None = None
    ray: OnRay | None = None
