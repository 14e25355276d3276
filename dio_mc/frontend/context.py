"""The common data of compiling one model: its layout, its parameters, the diagnostics so far, and scopes."""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from dio_mc.errors import Diagnostic, did_you_mean
from dio_mc.frontend.values import Place, Scalar, Static, Value
from dio_mc.ir.expr import Const, Me
from dio_mc.ir.program import RecordShape, Shape, Thread, Variable
from dio_mc.ir.types import ThreadIdType
from dio_mc.source import Span, function_tree, own_names, source_lines, span_of


class Abort(Exception):
    """The statement or property being compiled is wrong, and its diagnostic is recorded; compilation continues with the
    next one."""


class NeverReturns(Abort):
    """The statement being compiled is right, and nothing after it is reached: it ends in a fault."""


@dataclass(slots=True)
class Diagnostics:
    """Collects diagnostics, each only once."""

    found: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        """Record a diagnostic unless the same one is there already."""
        if diagnostic not in self.found:
            self.found.append(diagnostic)

    @property
    def errors(self) -> list[Diagnostic]:
        """The diagnostics that make the model unusable."""
        return sorted((d for d in self.found if d.severity == "error"), key=_place)


def _place(diagnostic: Diagnostic) -> tuple[str, int, int]:
    span = diagnostic.span
    return (span.file, span.line, span.column) if span else ("", 0, 0)


Question = Callable[..., Any]
"""A function of a class and of what is asked about: names, functions, classes."""
Lookup = tuple[Question, tuple[Any, ...]]


ITSELF: Final = object()
"""In an answer, the class that was asked."""


def kept_answer(model: type, answer: Any) -> Any:
    """An answer as it can be compared with that of another class."""
    if isinstance(answer, tuple):
        return tuple(ITSELF if part is model else part for part in answer)
    return ITSELF if answer is model else answer


@dataclass
class Context:
    """One model class with its parameters bound, while it is compiled. `looked_up` has what the code of each template
    has asked the class, by the name of the template, with the answers; `asking` is the one that is being compiled.
    `answers` are those of all templates, as the class gave them; `inlined` are the calls that are
    compiled already of the template or property that is being compiled;
    `trail` is what the call that is being compiled has asked."""

    model: type
    params: dict[str, int | bool]
    thread_names: tuple[str, ...]
    threads: tuple[Thread, ...]
    thread_groups: dict[str, tuple[int, ...]]
    variables: list[Variable] = field(default_factory=list)
    root: RecordShape = field(default_factory=lambda: RecordShape(()))
    parts: dict[str, Any] = field(default_factory=dict)
    spinlocks: list[str] = field(default_factory=list)
    spawned: dict[str, Any] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    buffers: Any = None
    control: Any = None
    asking: str = ""
    looked_up: dict[str, dict[Lookup, Any]] = field(default_factory=dict)
    answers: dict[Lookup, Any] = field(default_factory=dict)
    inlined: Any = None
    trail: dict[Lookup, None] = field(default_factory=dict)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)

    @cached_property
    def thread_id(self) -> ThreadIdType:
        """The type of a thread's identity in this model."""
        return ThreadIdType(self.thread_names)

    @cached_property
    def me(self) -> Scalar:
        """The identity of the running thread."""
        return Scalar(Me(self.thread_id))

    @cached_property
    def thread_constants(self) -> tuple[Scalar, ...]:
        """The identity of each thread as a value."""
        return tuple(Scalar(Const(number, self.thread_id)) for number in range(len(self.threads)))

    @cached_property
    def fields(self) -> dict[str, Shape]:
        """The data of the model by name, once it is laid out."""
        return dict(self.root.fields)

    def ask(self, question: Question, *about: Any) -> Any:
        """The answer to a question about the class. What a body is compiled to depends on the class in no other way
        (`shelf`), but for its data."""
        key = question, about
        if key not in self.answers:
            self.answers[key] = question(self.model, *about)
        answer = self.answers[key]
        self.looked_up.setdefault(self.asking, {})[key] = kept_answer(self.model, answer)
        self.trail[key] = None
        return answer

    def receiver(self, *, total: bool = False, after: bool = False) -> Place:
        """The model itself as a place."""
        return Place(self.root, "", model=True, total=total, after=after)


UNKNOWN = object()
_OF_C: Final = {"true": "True", "false": "False", "NULL": "None"}
"""Python's names for C's constants."""


@dataclass(slots=True)
class Scope:
    """Names visible in one function while it is compiled.

    `bindings` are the function's names with values known at compile time; `locate` finds run-time locals (None: no such
    local yet). If the function belongs to the vocabulary, `called_at` is the place of the call in the model. `broken`
    are locals whose assignment is wrong: their reads are not reported.
    """

    context: Context
    function: Callable[..., Any]
    owner: type
    bindings: dict[str, Value]
    receiver: Value | None
    locate: Callable[[str], Value | None] | None = None
    in_property: bool = False
    inline_depth: int = 0
    call_site: Span | None = None
    called_at: Span | None = None
    broken: set[str] = field(default_factory=set)

    @property
    def file(self) -> str:
        """The file that contains the function."""
        return self.function.__code__.co_filename

    def span(self, node: ast.AST) -> Span:
        """Where to report a node: for code of the library's locks, the place of the call."""
        return self.call_site or span_of(node, self.file)

    def fail(self, code: str, node: ast.AST, message: str, hint: str = "") -> Abort:
        """Record an error at a node; raise what this returns."""
        span = self.span(node)
        if self.called_at is not None and self.called_at != span and is_library(self.owner):
            runs = f"the call runs `{source_lines(span.file)[span.line - 1].strip()}` ({_place_in_package(span)})"
            span, hint = self.called_at, f"{hint}; {runs}" if hint else runs
        self.context.diagnostics.add(Diagnostic(code, message, span, hint))
        return Abort()

    def call_from(self, node: ast.AST, owner: type) -> Span | None:
        """The `called_at` of a method of class `owner` that is called at `node`."""
        return None if not is_library(owner) else self.called_at if is_library(self.owner) else self.span(node)

    def warn(self, code: str, node: ast.AST, message: str, hint: str = "") -> None:
        """Record a warning at a node."""
        self.context.diagnostics.add(Diagnostic(code, message, self.span(node), hint, severity="warning"))

    def lookup(self, node: ast.Name) -> Value:
        """The meaning of a name; an unknown one is an error with the nearest known name."""
        name = node.id
        if name in self.bindings:
            return self.bindings[name]
        if self.locate is not None:
            own = name in self.own_names()
            if (own or "@" in name) and (local := self.locate(name)) is not None:
                return local
            if name in self.broken:
                raise Abort
            if own:
                hint = "assign it first, on every way that leads here"
                raise self.fail("DIO115", node, f"local `{name}` is read before it is assigned", hint)
        elif name in self.broken:
            raise Abort
        found = self._outer(name)
        if found is UNKNOWN:
            known = [*self.bindings, *self.function.__globals__, *self.own_names(), *_OF_C.values()]
            hint = self._own(name) or did_you_mean(_OF_C.get(name, name), known)
            raise self.fail("DIO104", node, f"unknown name `{name}`", hint)
        return Static(found)

    def _own(self, name: str) -> str:
        """A hint if the model has an attribute of this name, written without ``self``."""
        return f"did you mean `self.{name}`?" if not name.startswith("_") and hasattr(self.context.model, name) else ""

    def own_names(self) -> frozenset[str]:
        """The names that the function assigns, and its parameters."""
        tree = function_tree(self.function)
        return own_names(tree) if tree is not None else frozenset()

    def _outer(self, name: str) -> Any:
        closure = inspect.getclosurevars(self.function).nonlocals if self.function.__closure__ else {}
        if name in closure:
            return closure[name]
        scope = self.function.__globals__
        if name in scope:
            return scope[name]
        return getattr(builtins, name, UNKNOWN)


def _place_in_package(span: Span) -> str:
    file = Path(span.file)
    return f"{file.parent.name}/{file.name}:{span.line}"


def is_library(cls: type) -> bool:
    """Whether a class belongs to dio-mc; errors are then reported at the call in the model."""
    return cls.__module__.startswith("dio_mc.")


def parameters_of(tree: ast.FunctionDef) -> list[str]:
    """Names of the positional parameters after ``self``."""
    return [a.arg for a in [*tree.args.posonlyargs, *tree.args.args][1:]]


def final(cls: type, name: str) -> Any:
    """What the class has under a name."""
    return getattr(cls, name, None)


def above(cls: type, owner: type, name: str) -> tuple[Any, type] | None:
    """What the classes above `owner`, along the MRO, have under a name, and the first that has it."""
    order = cls.__mro__
    bases = order[order.index(owner) + 1 :] if owner in order else ()
    return next(((vars(base)[name], base) for base in bases if name in vars(base)), None)


def ancestor(cls: type, module: str, name: str) -> type | None:
    """The class along the MRO that is called so."""
    return next((base for base in cls.__mro__ if (base.__module__, base.__qualname__) == (module, name)), None)


def declared_durable(cls: type) -> tuple[Any, ...]:
    """What the class and its bases declare durable."""
    return tuple(vars(base).get("durable", ()) for base in cls.__mro__)


def find_method(cls: type, name: str) -> tuple[Any, type] | None:
    """The function of that name and the class of the MRO that defines it."""
    for owner in cls.__mro__:
        if name in vars(owner):
            return vars(owner)[name], owner
    return None
