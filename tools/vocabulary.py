"""The page ``docs/vocabulary.md``: base classes, rules, their hooks and the property families, read
from the code.

The steps of an operation are counted in the program of a model that only calls it. The callers of a
hook, and the calls before and after it, are read from the source of the callers.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from dio_mc import kernel
from dio_mc.errors import DioError
from dio_mc.frontend import build, load_module
from dio_mc.kernel import families, register
from dio_mc.lang.declarations import MISSING, Choice, ParamDeclaration, ParamExpr, Range, VarDeclaration
from dio_mc.lang.model import ROLE, Model, OperationRole, Part, PropertyRole, ThreadRole
from dio_mc.source import function_tree
from dio_mc.study.registry import open_registry

ARGUMENTS = {
    "block": "Block.MAPPED", "data": "Data.NEW", "value": "Data.NEW", "result": "Data.NEW", "submitter": "me",
    "mixed": "False", "reader": "me", "end": "1", "more": "Block.MAPPED", "lazily": "False", "size": "1",
    "cow": "True", "mapped": "where",
}  # fmt: skip
"""The argument for a parameter of this name in the calls whose steps are counted; all other
parameters get 0."""


def vocabulary_page(note: str) -> str:
    """The page."""
    rules = open_registry().rules
    parts = [
        "# The vocabulary, class by class\n",
        f"{note}\n",
        "Generated from the code. See also the [reference](reference.md) of the language, the description of the "
        "[locking rules](rules.md), and [examples](examples.md) of models that use these classes.\n",
        "*Steps* is the number of steps of an operation: other threads can run before and after each. A step in a loop "
        "counts once, and steps for a second sector are included. 0: the operation is part of the step before it, as "
        "ghost statements are. `-`: the number depends on what a model adds. *Needs* is the data that a class reads "
        "and does not declare: the model declares it, or a class after it in the list of bases.\n",
        "## Base classes (`dio_mc.kernel`)\n",
    ]
    for cls in base_classes():
        parts += _class(cls)
    parts += ["## Property families (`dio_mc.kernel.families`)\n", *_families()]
    parts += ["## Rules (`dio_mc.models.protocols`)\n", *_rules(rules)]
    parts += ["## Hooks of a rule\n", *_hooks(rules)]
    return "\n".join(parts).rstrip() + "\n"


def base_classes() -> list[type]:
    """The classes of the vocabulary that a model derives from, and records; enums and families are
    left out."""
    named = [getattr(kernel, name) for name in kernel.__all__]
    models = [cls for cls in named if not issubclass(cls, enum.Enum)]
    return sorted([*models, register.Register], key=lambda cls: (len(cls.__mro__), cls.__name__))


def shared_classes(rules: Any) -> list[type]:
    """The classes below the rules that several share or that have hooks, those nearest to the
    vocabulary first."""
    found = {cls for rule in rules.values() for cls in rule.model.__mro__}
    own = {rule.model for rule in rules.values()}
    kept = [c for c in found if issubclass(c, Model) and not c.__module__.startswith("dio_mc.") and c not in own]
    return sorted(kept, key=lambda cls: (len(cls.__mro__), cls.__name__))


def methods_of(cls: type) -> dict[str, Callable[..., Any]]:
    """The functions that a class defines itself."""
    return {n: f for n, f in vars(cls).items() if inspect.isfunction(f) and not n.startswith("_")}


# --- one class --------------------------------------------------------------------------------------------------------


def _class(cls: type) -> Iterator[str]:
    yield f"### `{cls.__name__}`\n"
    bases = [f"`{base.__name__}`" for base in cls.__bases__ if base not in (Model, object)]
    yield f"{_prose(cls)}\n" if cls.__doc__ else ""
    yield (
        f"`from {_public(cls)} import {cls.__name__}`" + (f"; derives from {', '.join(bases)}" if bases else "") + ".\n"
    )
    if needed := needs(cls):
        yield f"Needs: {', '.join(f'`{name}`' for name in needed)}.\n"
    if dataclasses.is_dataclass(cls):
        yield "| field | type |\n| -- | -- |"
        yield "\n".join(f"| `{field.name}` | `{field.type}` |" for field in dataclasses.fields(cls)) + "\n"
        return
    data = {n: v for n, v in vars(cls).items() if isinstance(v, ParamDeclaration | VarDeclaration | Part)}
    if data:
        yield "| data | type | initially |\n| -- | -- | -- |"
        kept = dict.fromkeys(vars(cls).get("durable", ()), ", durable")
        rows = [f"| `{n}` | {_type(v)}{kept.get(n, '')} | {_initial(v)} |" for n, v in data.items()]
        yield "\n".join(rows) + "\n"
    if listed := methods_of(cls):
        yield "| member | what it is | steps | returns | meaning |\n| -- | -- | -- | -- | -- |"
        yield "\n".join(_member(cls, name, function) for name, function in listed.items()) + "\n"


def _public(cls: type) -> str:
    return "dio_mc.kernel" if cls.__name__ in kernel.__all__ else cls.__module__


def _member(cls: type, name: str, function: Callable[..., Any]) -> str:
    role = getattr(function, ROLE, None)
    steps = ""
    match role:
        case OperationRole(kernel=anchor):
            what = f"operation, {anchor}" if anchor else "operation"
            counted = steps_of(cls, name)
            steps = "-" if counted is None else str(counted)
        case ThreadRole(instances=instances, daemon=daemon):
            what = f"thread, {'daemon, ' if daemon else ''}{_shown(instances)} instance{'s' if instances != 1 else ''}"
        case PropertyRole(kind=kind):
            what = f"property, {kind}"
        case _:
            what = "pure"
    returns = _returns(function) if not isinstance(role, PropertyRole) and what != "pure" else ""
    return f"| `{name}{signature(function)}` | {what} | {steps} | {returns} | {_flat(function)} |"


def needs(cls: type) -> list[str]:
    """The attributes of ``self`` that the functions of a class use, and that neither it nor a base
    class has."""
    used: dict[str, None] = {}
    for function in methods_of(cls).values():
        tree = function_tree(function)
        for node in ast.walk(tree) if tree is not None else ():
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("self", "after")
            ):
                used[node.attr] = None
    return [name for name in used if not hasattr(cls, name)]


@cache
def steps_of(cls: type, name: str) -> int | None:
    """The number of steps of an operation that a thread calls after a step of its own, of which
    ghost statements become a part; None if the class alone is not a model."""
    function = getattr(cls, name)
    given = [ARGUMENTS.get(p, "0") for p in list(inspect.signature(function).parameters)[1:]]
    text = (
        f"from dio_mc import *\nfrom dio_mc.kernel import *\nfrom {cls.__module__} import {cls.__name__}\n\n"
        f"class Probe({cls.__name__}):\n    @thread\n    def caller(self):\n        wait_until(True)\n"
        "        where: Range(0, 1) | None = 0\n"
        f"        self.{name}({', '.join(given)})\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.py"
        path.write_text(text, encoding="utf-8")
        try:
            program = build(load_module(path).models[0]).program
        except DioError:
            return None
    caller = next(t for t in program.templates if t.name == "caller")
    return len(caller.locations) - 2  # the end, and the step before


def _returns(function: Callable[..., Any]) -> str:
    tree = function_tree(function)
    found = [n.value for n in ast.walk(tree) if isinstance(n, ast.Return) and n.value is not None] if tree else []
    texts = dict.fromkeys(ast.unparse(value) for value in found)
    return ", ".join(f"`{text}`" for text in texts).replace("|", "\\|")


def _type(value: Any) -> str:
    match value:
        case ParamDeclaration(default=bool()):
            return "parameter, True or False"
        case ParamDeclaration(min=low, max=high):
            return f"parameter, {low}..{high}"
        case VarDeclaration(type=of, size=size, ghost=ghost, per_thread=per_thread):
            many = " per thread" if per_thread else f" x {_shown(size)}" if size is not None else ""
            return f"{_spelled(of)}{many}{', ghost' if ghost else ''}"
        case _:
            return _spelled(value)


def _spelled(of: Any) -> str:
    match of:
        case Range(low, high):
            return f"{_shown(low)}..{_shown(high)}"
        case Choice(members):
            return " or ".join("None" if m is None else _spelled(m) for m in members)
        case type():
            return f"`{of.__name__}`"
        case Part():
            return f"`{type(of).__name__}`"
        case VarDeclaration():
            return _type(of)
        case _:
            return str(of).replace("|", "or")


def _shown(value: Any) -> str:
    match value:
        case ParamDeclaration(name=name):
            return f"`{name}`"
        case ParamExpr(function=function, operands=(one, other)):
            sign = {"add": "+", "sub": "-", "mul": "*"}.get(function.__name__, function.__name__)
            return f"{_shown(one)} {sign} {_shown(other)}"
        case tuple():
            return " x ".join(_shown(one) for one in value)
        case _:
            return str(value)


def _initial(value: Any) -> str:
    match value:
        case ParamDeclaration(default=default):
            return str(default)
        case VarDeclaration(init=list()):
            return "a value for each"
        case VarDeclaration(init=init) if init is not MISSING:
            return "any" if init is any else f"`{getattr(init, 'name', init)}`"
        case VarDeclaration():
            return "the default"
        case _:
            return "free"


# --- families and rules -----------------------------------------------------------------------------------------------


def _families() -> Iterator[str]:
    yield "| family | class | properties | needs | adds |\n| -- | -- | -- | -- | -- |"
    rows = []
    for name, cls in families.FAMILIES.items():
        own = [c for c in cls.__mro__ if issubclass(c, Model) and c is not Model and c.__module__ == cls.__module__]
        members = {n: v for c in reversed(own) for n, v in vars(c).items()}
        properties = [n for n, v in members.items() if isinstance(getattr(v, ROLE, None), PropertyRole)]
        adds = [n for n, v in members.items() if isinstance(v, ParamDeclaration | VarDeclaration)]
        cells = [", ".join(f"`{n}`" for n in names) for names in (properties, needs(cls), adds)]
        rows.append(
            f"| `{name}` | `{cls.__name__}` | {cells[0] or 'the check for deadlocks'} | {cells[1]} | {cells[2]} |"
        )
    yield "\n".join(rows) + "\n"


def _rules(rules: Any) -> Iterator[str]:
    yield "| rule | class | since | kernel | changes | files | unsupported |\n| -- | -- | -- | -- | -- | -- | -- |"
    rows = []
    for rule in rules.values():
        above = ", ".join(f"`{base.__name__}`" for base in rule.model.__bases__)
        module = f"dio_mc.models.protocols.{rule.model.__module__.rpartition('.')[2]}"
        without = ", ".join(f"`{name}`" for name in sorted(rule.unsupported))
        rows.append(
            f"| `{rule.name}` | `{module}.{rule.model.__name__}` | {rule.since} | {rule.kernel} | {above} | "
            f"{', '.join(rule.layouts)} | {without} |"
        )
    yield "\n".join(rows) + "\n"


def _hooks(rules: Any) -> Iterator[str]:
    yield (
        "Every operation and pure method of the classes that rules derive from. A rule overrides those that are "
        "different in its kernel. *Called by* names the caller and, in brackets, what the caller calls before and "
        "after it; `-` is its first or last call.\n"
    )
    models = [rule.model for rule in rules.values()]
    judges = list(families.FAMILIES.values())
    derived = [cls for cls in base_classes() if cls in judges or any(issubclass(model, cls) for model in models)]
    everything = [*derived, *shared_classes(rules), *models]
    for cls in shared_classes(rules):
        listed = methods_of(cls)
        if not listed:
            continue
        yield f"### `{cls.__name__}` ({cls.__module__.rpartition('.')[2]}.py)\n"
        if cls.__doc__:
            yield f"{_prose(cls)}\n"
        yield "| hook | kernel function | meaning | called by | overridden by |\n| -- | -- | -- | -- | -- |"
        yield "\n".join(_hook(cls, name, function, everything, rules) for name, function in listed.items()) + "\n"


def _hook(cls: type, name: str, function: Callable[..., Any], everything: list[type], rules: Any) -> str:
    role = getattr(function, ROLE, None)
    match role:
        case OperationRole(kernel=anchor):
            kind = anchor or "none"
        case PropertyRole():
            kind = "property"
        case ThreadRole():
            kind = "thread"
        case _:
            kind = "pure"
    callers = dict.fromkeys(c for one in everything for c in _callers(one, name))
    over = [f"`{r.name}`" for r in rules.values() if any(name in vars(c) for c in _below(r.model, cls))]
    meaning = _flat(function) or _flat(_documented(cls, name))
    return f"| `{name}{signature(function)}` | {kind} | {meaning} | {'; '.join(callers)} | {', '.join(over)} |"


def _below(model: type, cls: type) -> list[type]:
    """The classes of a rule that override a member of a class."""
    order = list(model.__mro__)
    return order[: order.index(cls)] if cls in order else []


def _documented(cls: type, name: str) -> Any:
    """The nearest function of that name in a base class that has a docstring."""
    found = [vars(c)[name] for c in cls.__mro__ if name in vars(c)]
    return next((f for f in found if getattr(f, "__doc__", None)), None)


def _callers(cls: type, name: str) -> Iterator[str]:
    for caller, function in methods_of(cls).items():
        tree = function_tree(function)
        calls = _calls(tree) if tree is not None else []
        for place, called in enumerate(calls):
            if called == name and caller != name:
                before = f"`{calls[place - 1]}`" if place else "-"
                after = f"`{calls[place + 1]}`" if place + 1 < len(calls) else "-"
                yield f"`{cls.__name__}.{caller}` ({before}, {after})"
                break


def _calls(tree: ast.AST) -> list[str]:
    """The methods of the model that a function calls or spawns, in the order of the source."""
    found: list[tuple[int, int, str]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="spawn"), args=[ast.Attribute(attr=name), *_]):
                found.append((node.lineno, node.col_offset, name))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name)):
                found.append((node.lineno, node.col_offset, name))
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)):
                found.append((node.lineno, node.col_offset, f"super().{name}"))
    return [name for _, _, name in sorted(found)]


# --- words ------------------------------------------------------------------------------------------------------------


def signature(function: Callable[..., Any]) -> str:
    """The parameters after ``self``."""
    return f"({', '.join(list(inspect.signature(function).parameters)[1:])})"


def _prose(value: Any) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", inspect.getdoc(value) or "")


def _flat(value: Any) -> str:
    text = _prose(value) if getattr(value, "__doc__", None) else ""
    return " ".join(text.split()).replace("|", "\\|")
