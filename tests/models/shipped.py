"""The models of kernel history as checked once for all tests of this folder, and the table of models/README.md."""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dio_mc.anynumber.asked import asked_of, pages_of_model, readings_of
from dio_mc.checking.driver import check_class
from dio_mc.checking.expectations import bindings_of, expectation_for
from dio_mc.checking.results import Report
from dio_mc.frontend.load import load_module
from dio_mc.lang.model import Model
from dio_mc.trace.trace import Trace

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
README = MODELS / "README.md"
HISTORY = sorted((MODELS / "history").glob("*.py"))
SEED = sorted((MODELS / "seed").glob("*.py"))

RACE = re.compile(r"\b[RP]\d+\b")
YEAR = re.compile(r"\b(?:199|20[0-2])\d\b")
COMMIT = re.compile(r"\b(?=[a-z]*\d)(?=\d*[a-f])[0-9a-f]{7,12}\b")
BEGIN, END = "<!-- generated: models -->\n", "<!-- end of the generated table -->\n"


@dataclass(frozen=True)
class Shipped:
    """A model file and what checking its classes gave, in the order of the file."""

    path: Path
    doc: str
    models: tuple[type[Model], ...]
    reports: tuple[tuple[type[Model], Report], ...]

    @property
    def races(self) -> list[str]:
        return sorted(set(RACE.findall(self.doc.partition("\n")[0])) or {"-"}, key=_race_order)


@cache
def shipped(path: Path) -> Shipped:
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    models = load_module(str(path), allow_empty=True).models
    reports = [
        (model, check_class(model, params, expectation=stated))
        for model in models
        for params, stated in bindings_of(model, {})
    ]
    return Shipped(path, doc, models, tuple(reports))


def table() -> str:
    """One row per class and binding, by race."""
    verdict = "verdict, steps of the shortest trace"
    head = ["race", "model", "years", "commits", "class", verdict, "states", "any number of"]
    rows = [head, ["---"] * len(head)]
    files = [entry for path in (*SEED, *HISTORY) if (entry := shipped(path)).models]
    for entry in sorted(files, key=lambda e: (_race_order(e.races[0]), e.path.parent.name != "seed", e.path.name)):
        about = [
            " ".join(entry.races),
            f"[{entry.path.stem}]({entry.path.relative_to(MODELS).as_posix()})",
            " ".join(sorted(set(YEAR.findall(entry.doc)))),
            " ".join(dict.fromkeys(COMMIT.findall(entry.doc))),
        ]
        for model, report in entry.reports:
            found = [_name(model, report), _verdict(report), f"{report.states:,}", _any_number(model, report)]
            rows.append([*about, *found])
            about = [""] * len(about)
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def readme_with(table_: str) -> str:
    """models/README.md with this table in its place."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + table_ + "\n" + END + after


def body_of(function: object, source: str) -> str:
    """A method as a tree, without decorators and docstring: equal iff it says the same."""
    tree = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(tree, ast.FunctionDef), function
    documented = ast.get_docstring(tree) is not None
    return ast.dump(tree.args) + "".join(ast.dump(s) for s in tree.body[documented:])


def _race_order(race: str) -> tuple[str, int]:
    kind, number = (race[0], int(race[1:])) if race != "-" else ("Z", 0)
    return "0" if kind == "R" else kind, number


def _name(model: type[Model], report: Report) -> str:
    given = [f"{name}={value}" for name, value in report.params.items() if _is_bound(model, name, value)]
    return f"{model.__name__} {' '.join(given)}".strip()


def _is_bound(model: type[Model], name: str, value: int) -> bool:
    return getattr(model, name).default != value


def _any_number(model: type[Model], report: Report) -> str:
    """The threads, and pages, any number of which the file says that it holds for, with the defaults of its
    parameters."""
    stated = expectation_for(model, {})
    if stated is None or not stated.any or "@" in report.model:
        return ""
    if not set(stated.any) & set(pages_of_model(model)):
        return ", ".join(asked_of(model, stated.any).threads)
    asked = readings_of(model, stated.any)[-1]
    return ", ".join((*asked.threads, asked.pages or ""))


def _length(trace: Trace) -> str:
    """Steps; of a run that goes on forever, those before the loop and those in it."""
    if trace.loop is None:
        return str(len(trace.steps))
    return f"{trace.loop - 1}+{len(trace.steps) - trace.loop + 1}"


def _verdict(report: Report) -> str:
    if report.verdict == "HOLDS":
        return "holds"
    steps = {trace.property: _length(trace) for trace in report.traces}
    names = [p.name for p in report.properties if p.verdict == "VIOLATED" and p.kind != "faults"]
    return ", ".join(f"{name} {steps[name]}" if name in steps else f"{name} never" for name in names)
