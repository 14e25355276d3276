"""A page of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """What a code means and what to do. `example` is a line or two that cause it; it may be empty."""

    title: str
    text: str
    example: str = ""
