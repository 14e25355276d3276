"""pytest collects models: one item per property and binding of a class, with one exploration for
all items of a binding.

Active with ``pytest --dio-mc`` (every collected file that is a model) or by globs in the
configuration of pytest::

    [tool.pytest.ini_options]
    testpaths = ["tests", "models"]
    dio_mc_models = ["models/**/*.py"]

An undetermined property is a failure. Limits come from the settings of dio-mc (``dio-mc config``).
This module imports only the standard library and pytest before a model is collected.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

if TYPE_CHECKING:
    from dio_mc.checking.results import Report
    from dio_mc.checking.runs.plan import Task
    from dio_mc.report.batch import Batch, Case

WANTED: pytest.StashKey[frozenset[Path] | None] = pytest.StashKey()
"""The files that the globs name; None without globs."""
WHOLE = ("faults", "expectation", "findings")
"""The items for what concerns a run as a whole and is not a property of the author."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--dio-mc`` and ``dio_mc_models``."""
    group = parser.getgroup("dio-mc", "model checking with dio-mc")
    group.addoption("--dio-mc", action="store_true", help="check the dio-mc models among the files")
    parser.addini("dio_mc_models", "globs of dio-mc models to check, relative to the root folder", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and look up the globs."""
    config.addinivalue_line("markers", "dio_mc: an item that is a property of a dio-mc model")
    config.stash[WANTED] = None
    globs = config.getini("dio_mc_models")
    if not globs:
        return
    found: set[Path] = set()
    for pattern in globs:
        matches = [p for p in config.rootpath.glob(pattern) if p.suffix == ".py"]
        if not matches:
            raise pytest.UsageError(f"dio_mc_models: no Python file matches {pattern}")
        found.update(matches)
    config.stash[WANTED] = frozenset(found)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a model file that was requested."""
    return ModelFile.from_parent(parent, path=file_path) if _wanted(file_path, parent.config) else None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A model file named on the command line is not a test file, unless its name says so."""
    tests = any(fnmatch(module_path.name, pattern) for pattern in parent.config.getini("python_files"))
    return None if tests or not _wanted(module_path, parent.config) else Nothing.from_parent(parent, path=module_path)


def _wanted(file: Path, config: pytest.Config) -> bool:
    wanted = config.stash[WANTED]
    if file.suffix != ".py" or (wanted is None and not config.getoption("--dio-mc")):
        return False
    return file in wanted if wanted is not None else looks_like_a_model(file)


def looks_like_a_model(file: Path) -> bool:
    """Whether a file imports the language and defines a class from others; the file is not
    imported."""
    if not file.is_file():  # reading a pipe would block
        return False
    try:
        source = file.read_bytes()
        if b"dio_mc" not in source:
            return False
        from dio_mc.deep import deeply

        tree = deeply(ast.parse, source)
    except (OSError, SyntaxError, ValueError):
        return False
    languages = ("dio_mc", "dio_mc.lang", "dio_mc.kernel")
    imported = any(isinstance(s, ast.ImportFrom) and (s.module or "").startswith(languages) for s in tree.body)
    return imported and any(isinstance(s, ast.ClassDef) and s.bases for s in tree.body)


class Nothing(pytest.File):
    """A collector without items, for what pytest itself finds in a model file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Nothing."""
        return iter(())


class ModelFile(pytest.File):
    """A model file; its children are the runs that a check of it makes."""

    def collect(self) -> Iterator[pytest.Collector]:
        """One collector per class and binding."""
        from dio_mc.checking.results import Failure
        from dio_mc.checking.runs.plan import Request, plan
        from dio_mc.deep import deeply

        required = self.config.stash[WANTED] is None
        for entry in deeply(lambda: list(plan([(_shown(self.path), not required)], Request()))):
            if isinstance(entry, Failure):
                raise self.CollectError(entry.text)
            yield ModelRun.from_parent(self, name=_name(entry), task=entry)


def _shown(path: Path) -> str:
    from dio_mc.source import display_path

    return display_path(str(path))


def _name(task: Task) -> str:
    from dio_mc.frontend.build import program_name

    return program_name(task.model, dict(task.params))


class ModelRun(pytest.Collector):
    """A class with its parameters bound. It is explored when the first of its items runs."""

    def __init__(self, *, task: Task, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.task = task

    def collect(self) -> Iterator[pytest.Item]:
        """One item per property, and items for what concerns the run as a whole."""
        from dio_mc.errors import DioError

        try:
            yield from [self._item(name, line) for name, line in self._names()]
        except DioError as error:
            raise self.CollectError(str(error)) from None

    def _names(self) -> Iterator[tuple[str, int]]:
        from dio_mc.frontend.declare import function_span, members_of

        place = self.task.model.__dio_place__[1]
        for name, (function, _, _) in members_of(self.task.model).properties.items():
            span = function_span(function)
            yield name, span.line if span else place
        names = ["deadlock"] if self.task.model.deadlock else []
        names += ["faults"] + (["expectation"] if self.task.stated else []) + (["findings"] if self.strict else [])
        yield from ((name, place) for name in names)

    def _item(self, name: str, line: int) -> pytest.Item:
        item = PropertyItem.from_parent(self, name=name, line=line)
        item.add_marker("dio_mc")
        if self.config.pluginmanager.hasplugin("xdist"):
            item.add_marker(pytest.mark.xdist_group(self.nodeid))
        return item

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings of dio-mc for the root folder."""
        from dio_mc.config import effective

        return {name: v.value for name, v in effective({}, start=self.config.rootpath).items()}

    @property
    def strict(self) -> bool:
        """Whether findings are failures."""
        return bool(self.settings["strict"])

    @cached_property
    def outcome(self) -> tuple[Report, Batch]:
        """The exploration, made once."""
        from dio_mc.checking.driver import check_class, options_of
        from dio_mc.deep import deeply
        from dio_mc.report.batch import Batch
        from dio_mc.semantics.search import Checkpoints

        folder = self.settings["checkpoint"]
        options = replace(
            options_of(self.settings),
            checkpoints=None if folder in (None, "off") else Checkpoints(folder, self.settings["resume"]),
            disk=None if self.settings["disk"] in (None, "off") else Path(self.settings["disk"]),
        )
        expected = self.task.stated
        report = deeply(check_class, self.task.model, dict(self.task.params), options, expectation=expected)
        return report, Batch((report,), strict=self.strict)


class NotAsItShould(Exception):
    """A property is violated or undetermined; the message is the text of the failure."""


class PropertyItem(pytest.Item):
    """A property of a run."""

    parent: ModelRun

    def __init__(self, *, line: int, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.line = line

    def runtest(self) -> None:
        """Raise `NotAsItShould` unless the property has the expected verdict."""
        report, batch = self.parent.outcome
        self.user_properties += [("states", report.states), ("complete", report.complete)]
        bad = [c for c in self._cases(report, batch) if c.status != "pass"]
        if bad:
            raise NotAsItShould("\n\n".join(_failure_text(report, c) for c in bad))

    def _cases(self, report: Report, batch: Batch) -> Iterable[Case]:
        """The cases of this item: its property, or those that no other item has."""
        cases = batch.cases(report)
        if self.name not in WHOLE:
            return [c for c in cases if c.name == self.name]
        from dio_mc.ir.program import PropertyKind

        kinds = {"expectation": {"expectation"}, "findings": {"finding"}}
        if self.name in kinds:
            return [c for c in cases if c.kind in kinds[self.name]]
        written = (*get_args(PropertyKind), "deadlock", "expectation", "finding")
        return [c for c in cases if c.kind not in written]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The diagram, or the diagnostics of a model that cannot be built; a traceback for anything else."""
        from dio_mc.errors import DioError

        if isinstance(excinfo.value, NotAsItShould | DioError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """The line of the property."""
        return self.path, self.line - 1, f"{self.parent.name} {self.name}"


def _failure_text(report: Report, case: Case) -> str:
    """What is wrong, the diagram, and how much was covered."""
    from dio_mc.render.text import render_text

    scope = "complete" if report.complete else "not complete"
    where = case.where or report.where
    lines = [f"{where}: {case.verdict} {case.name} ({report.model}): {case.message}"]
    if case.trace is not None:
        lines.append(render_text(case.trace, model=True))
    return "\n".join([*lines, f"{report.states:,} states, depth {report.depth}, {scope}"])
