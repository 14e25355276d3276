"""Option types that several commands use."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from dio_mc.choices import ENGINES, REPORT_FORMATS


class Param(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    """``NAME=VALUE`` with a whole number, or true and false."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """The name and the value."""
        if isinstance(value, tuple):
            return value
        name, _, number = str(value).partition("=")
        words = {"true": "1", "false": "0"}
        try:
            return name, int(words.get(number.lower(), number))
        except ValueError:
            self.fail(f"{value!r} is not NAME=VALUE with a whole number (DIO204)", param, ctx)


class Word(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    """A word that the shell completes; `dio_mc.config` validates it, with its own message."""

    name = "NAME"

    def __init__(self, *words: str) -> None:
        self.words = words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that begin with the typed text."""
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


class Found(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    """A name in a file, completed from what `find` lists for the words typed so far; after a comma, the next name."""

    def __init__(self, name: str, find: Callable[[list[str]], list[str]]) -> None:
        self.name = name
        self.find = find

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin with the typed text."""
        before, comma, last = incomplete.rpartition(",")
        if comma and os.environ.get("_DIO_MC_COMPLETE", "").startswith("fish"):  # click's own function splits at commas
            return []
        names = self.find(_typed(ctx))
        return [CompletionItem(before + comma + name) for name in names if name.startswith(last)]


def _typed(ctx: click.Context) -> list[str]:
    """The arguments typed so far. While an option's value is being typed, click leaves them all in `args`."""
    given = (ctx.params.get(name) for name in ("paths", "file"))
    words = [word for one in given if one for word in ([one] if isinstance(one, str) else one)]
    return [*words, *ctx.args]


def _models() -> Path:
    from dio_mc.models import models_folder

    return models_folder()


def _classes(typed: list[str]) -> list[str]:
    from dio_mc.cli.complete import classes_in

    return classes_in(typed)


def _rules(typed: list[str]) -> list[str]:
    from dio_mc.cli.complete import rules

    return rules(_models())


def _operations(typed: list[str]) -> list[str]:
    from dio_mc.cli.complete import operations

    return operations(_models())


def _workloads(typed: list[str]) -> list[str]:
    from dio_mc.cli.complete import operations, workloads

    return [*workloads(_models()), *operations(_models())]


def _topics(typed: list[str]) -> list[str]:
    from dio_mc.catalogue import PAGES
    from dio_mc.cli.pages import titles

    return [*PAGES, *titles()]


CLASS = Found("CLASS", _classes)
RULE = Found("RULE", _rules)
OPERATION = Found("OPERATION", _operations)
WORKLOAD = Found("WORKLOAD", _workloads)
TOPIC = Found("TOPIC", _topics)
FORMAT = Word(*REPORT_FORMATS)
ENGINE = Word(*ENGINES)


def unknown_class(name: str, known: list[str]) -> Exception:
    """The usage error for a class that no file contains."""
    from dio_mc.errors import did_you_mean, usage_error

    hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
    return usage_error("DIO208", f"no model class `{name}`", hint=hint)
