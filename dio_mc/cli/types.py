"""Types of options that several commands take."""

from __future__ import annotations

from typing import Any

import click


class Param(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    """``NAME=VALUE`` with a whole number, or true and false."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """The pair."""
        if isinstance(value, tuple):
            return value
        name, _, number = str(value).partition("=")
        words = {"true": "1", "false": "0"}
        try:
            return name, int(words.get(number.lower(), number))
        except ValueError:
            self.fail(f"{value!r} is not NAME=VALUE with a whole number (DIO204)", param, ctx)


class Memory(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    """``800M``, ``4G``: bytes."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes."""
        if isinstance(value, int):
            return value
        text = str(value).strip().upper().removesuffix("B").removesuffix("I")
        scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:], 1)
        try:
            return int(float(text[:-1] if scale > 1 else text) * scale)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no amount of memory, such as 800M or 4G", param, ctx)


def unknown_class(name: str, known: list[str]) -> Exception:
    """The usage error for a class that no file has."""
    from dio_mc.errors import did_you_mean, usage_error

    hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
    return usage_error("DIO208", f"no model class `{name}`", hint=hint)
