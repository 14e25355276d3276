"""Types of options that several commands take."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from dio_mc.choices import ENGINES, REPORT_FORMATS


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


class Word(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    """A word that the shell completes; whether it is one of these `dio_mc.config` says, in its own words."""

    name = "NAME"

    def __init__(self, *words: str) -> None:
        self.words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Those that begin like this."""
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


FORMAT = Word(*REPORT_FORMATS)
ENGINE = Word(*ENGINES)


def unknown_class(name: str, known: list[str]) -> Exception:
    """The usage error for a class that no file has."""
    from dio_mc.errors import did_you_mean, usage_error

    hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
    return usage_error("DIO208", f"no model class `{name}`", hint=hint)
