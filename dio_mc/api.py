"""The public functions of the package. Nothing is imported before one of them is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from dio_mc.checking.driver import Options
    from dio_mc.checking.results import Report
    from dio_mc.explain.replaying import Outcome
    from dio_mc.ir.program import Program
    from dio_mc.lang.model import Model
    from dio_mc.semantics.search import Budget, Exploration
    from dio_mc.study.matrix import Matrix
    from dio_mc.trace.trace import Trace

P = ParamSpec("P")
R = TypeVar("R")


def _at_the_callers_line(function: Callable[P, R]) -> Callable[P, R]:
    """Leave the frames of the functions below out of the traceback of a `ModelError`, which is not
    their fault. The model may be nested to any depth (`deep`)."""

    @wraps(function)
    def called(*args: P.args, **keywords: P.kwargs) -> R:
        from dio_mc.deep import deeply
        from dio_mc.errors import ModelError

        try:
            return deeply(partial(function, *args, **keywords))
        except ModelError as error:
            raise error.with_traceback(None) from None

    return called


@_at_the_callers_line
def check(model: type[Model], params: Mapping[str, int] | None = None, *, options: Options | None = None) -> Report:
    """Check one model class with its parameters bound: ``check(Ext3, {"pages": 2}).verdict``.

    Parameters that `params` leaves out have their defaults; `options` are limits, engine and reductions. The `Report`
    is true when the model holds; ``print`` shows it as the command line does, a notebook as a table with a picture.
    Raises `dio_mc.errors.ModelError` when the model is wrong, `dio_mc.errors.InternalError` when dio-mc is.
    """
    from dio_mc.checking.driver import check_class
    from dio_mc.checking.expectations import expectation_for

    params = dict(params or {})
    return check_class(_class(model), params, options, expectation=expectation_for(model, params))


@_at_the_callers_line
def explore(
    model: type[Model], params: Mapping[str, int] | None = None, *, options: Options | None = None
) -> Exploration:
    """Search as `check` does, and give what the engine found: counts, schedules, coverage. No counterexample is
    replayed or explained. Raises `dio_mc.errors.ModelError` when the model is wrong."""
    from dio_mc.checking.driver import explore_class

    return explore_class(_class(model), params, options)


@_at_the_callers_line
def replay(trace: Trace | str | PathLike[str], model: type[Model] | None = None) -> Outcome:
    """Run a counterexample, or the file of one, again on the current model. The result is true if
    it reproduces, and says in words what happened.

    Without `model` the file that the trace names is loaded; it must lie below the working
    directory. Raises `dio_mc.errors.ModelError` if the file is not a trace, or if the model is
    missing or has other parameters.
    """
    from dio_mc.explain.replaying import replay_trace, trace_in
    from dio_mc.trace.trace import Trace

    stored = trace if isinstance(trace, Trace) else trace_in(str(trace))
    return replay_trace(stored, None if model is None else _class(model), _product)


@_at_the_callers_line
def matrix(
    rules: Iterable[str] = (),
    operations: Iterable[str] = (),
    *,
    budget: Budget | None = None,
    size: int = 2,
    sectors: int = 1,
    pages: int = 1,
    models: str | PathLike[str] | None = None,
    files: Iterable[str | PathLike[str]] = (),
) -> Matrix:
    """Which operations race under which locking rule: every pair (`size` 3: triple) of operations, one verdict each.

    `rules` and `operations` are names, all of them where none is given. `budget` limits each of the searches; with two
    `sectors` per page an IO can be torn, with several `pages` a call. `models` is a folder with other rules and
    operations than the shipped ones, `files` have further ones. Raises `dio_mc.errors.ModelError` for a name that does
    not exist.
    """
    from dio_mc.study import matrix as study
    from dio_mc.study.registry import open_registry, pick

    registry = open_registry(None if models is None else Path(models), [Path(file) for file in files])
    named = list(operations)
    pick(registry.operations, named, "operation")
    chosen = pick(registry.rules, rules, "locking rule")
    return study.matrix(
        registry, chosen, named or list(registry.operations), budget, size=size, sectors=sectors, pages=pages
    )


@_at_the_callers_line
def read_trace(path: str | PathLike[str]) -> Trace:
    """The counterexample in a file that ``dio-mc check`` or `Trace.save` wrote. Raises `dio_mc.errors.ModelError` when
    it is not one."""
    from dio_mc.explain.replaying import trace_in

    return trace_in(str(path))


def drawn(form: str, shown: Any) -> str:
    """A trace or a report as text in a form: ``trace.svg``, ``report.txt``. Raises `ValueError` for an unknown one."""
    match form:
        case "trace.svg":
            from dio_mc.render.svg import render_svg

            return render_svg(shown)
        case "trace.html":
            from dio_mc.html.source import sources_of
            from dio_mc.html.trace_page import trace_page

            return trace_page(shown, sources_of(shown, Path.cwd()))
        case "trace.json":
            from dio_mc.trace.codec import encode

            return encode(shown)
        case "trace.txt":
            from dio_mc.render.text import render_text

            return render_text(shown, model=True) + "\n"
        case "trace.dot":
            from dio_mc.render.dot import render_dot

            return render_dot(shown)
        case "report.txt":
            from dio_mc.report.text import report_text

            return report_text(shown, trace=True, folder=None)
        case "report.html":
            from dio_mc.report.notebook import report_html

            return report_html(shown)
        case _:
            ending = form.partition(".")[2]
            named = f"*.{ending}" if ending else "a name without an ending"
            raise ValueError(f"there is no format for {named}: use .html, .svg, .txt, .json or .dot")


def _class(model: type[Model]) -> type[Model]:
    from dio_mc.lang.model import Model

    if isinstance(model, type) and issubclass(model, Model):
        return model
    raise TypeError(f"a model class is needed, not {model!r}")


def _product(name: str) -> Program | None:
    from dio_mc.study.registry import open_registry, program_named

    return program_named(open_registry(), name)
