"""An edit as a file with a subclass, and as a difference of the author's own files."""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

from dio_mc import kernel, lang
from dio_mc.errors import ModelError, usage_error
from dio_mc.fix.edit import NEW_LOCK, Edit
from dio_mc.fix.printing import edited_lines, first_of
from dio_mc.frontend.frames import shorten
from dio_mc.lang.model import Model
from dio_mc.mutation.bodies import Body
from dio_mc.source import display_path, module_tree, source_lines

NAME = "{}Fixed"
"""The name of the subclass."""


@dataclass(slots=True)
class _Imports:
    """The imports of the file: names by module, and the meaning of each name in the file."""

    modules: dict[str, set[str]] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def take(self, name: str, value: Any, module: str) -> str:
        """Import a name; returns the text under which it is used."""
        used = name
        while used in self.known and self.known[used] is not value:
            used = f"{used}_"
        self.known[used] = value
        self.modules.setdefault(module, set()).add(name if used == name else f"{name} as {used}")
        return used

    def lines(self) -> Iterator[str]:
        """The import lines, sorted: files beside the model, then dio_mc."""
        ours = [m for m in sorted(self.modules) if m.split(".")[0] == "dio_mc"]
        rest = [m for m in sorted(self.modules) if m not in ours]
        for group in (rest, ours):
            yield from (f"from {module} import {', '.join(sorted(self.modules[module]))}" for module in group)
            if group is rest and rest and ours:
                yield ""


def subclass_text(model: type[Model], edit: Edit, stated: Sequence[str], about: str) -> str:
    """The file: a subclass of the model with the edit, and an ``expect`` line. `stated` are the
    lines of its expectations, with ``{}`` for the class; `about` is what its docstring says about
    the model.

    Raises `ModelError` (DIO295) if the model cannot be imported by name.
    """
    imports = _Imports()
    base = imports.take(model.__name__, model, _module(model.__name__, model, model.__module__))
    name = NAME.format(model.__name__)
    body: list[str] = []
    for changed, changes in edit.changes.items():
        body += ["", *_method(model, changed, edited_lines(changed, changes), edit, imports)]
    if edit.declares:
        body = ["", f"    {NEW_LOCK} = {imports.take('Mutex', lang.Mutex, 'dio_mc')}()", *body]
    imports.take("expect", lang.expect, "dio_mc")
    head = [f'"""{about}"""', "", *imports.lines(), "", "", f"class {name}({base}):", f'    """{_doc(edit)}"""']
    return "\n".join([*head, *body, "", "", *(line.format(name) for line in stated)]) + "\n"


def _doc(edit: Edit) -> str:
    text = shorten(f"{edit.function}: {edit.text}", 110)
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _method(model: type[Model], body: Body, lines: Sequence[str], edit: Edit, imports: _Imports) -> list[str]:
    """The text of a function for the subclass: indented for a class, with the names of this
    file."""
    margin = " " * body.tree.col_offset
    plain = [line.removeprefix(margin) for line in lines]
    (tree,) = ast.parse("\n".join(plain)).body
    assert isinstance(tree, ast.FunctionDef)
    text = _without_super(model, body, plain, imports)
    renamed = {name: used for name, used in _imported(model, body, tree, edit, imports) if name != used}
    for name, used in renamed.items():
        text = [re.sub(rf"(?<![\w.]){name}(?!\w)", used, line) for line in text]
    return [f"    {line}" if line.strip() else "" for line in text]


def _imported(
    model: type[Model], body: Body, tree: ast.FunctionDef, edit: Edit, imports: _Imports
) -> Iterator[tuple[str, str]]:
    """The names that the function takes from its module, and what each is called in the file."""
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    own = stored | {a.arg for a in tree.args.args} | {"super"}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - own
    scope = {**body.function.__globals__, **edit.words}
    for name in sorted(names):
        if name in vars(body.owner) and name not in scope:  # a class attribute in a decorator: instances=readers
            yield name, f"{imports.take(body.owner.__name__, body.owner, _module_of_class(body.owner))}.{name}"
        elif name in scope:
            yield name, imports.take(name, scope[name], _module(name, scope[name], body.function.__module__))
        elif name in lang.__all__:
            yield name, imports.take(name, getattr(lang, name), "dio_mc")
        elif not hasattr(builtins, name):
            raise _not_importable(model, name)


def _module_of_class(cls: type) -> str:
    return _module(cls.__name__, cls, cls.__module__)


def _module(name: str, value: Any, used_in: str) -> str:
    """The module that a name is imported from: the one that defines it, otherwise the one that uses
    it."""
    if name in lang.__all__ and getattr(lang, name) is value:
        return "dio_mc"
    if getattr(kernel, name, None) is value:
        return "dio_mc.kernel"
    home: Any = getattr(value, "__module__", None) if isinstance(value, type | FunctionType) else None
    return str(home) if home is not None and getattr(value, "__name__", "") == name else used_in


def _not_importable(model: type[Model], name: str, hint: str = "") -> ModelError:
    message = f"a fix of {model.__name__} cannot be written: `{name}` cannot be imported by name"
    return usage_error("DIO295", message, hint=hint)


def refuse_unimportable(model: type[Model]) -> None:
    """Raises `ModelError` (DIO295) if a file beside the model could not import it, because the
    model's file has the name of a Python module or a name that is not an identifier."""
    for cls in model.__mro__:
        parts = cls.__module__.split(".")
        if not all(part.isidentifier() for part in parts) or not cls.__qualname__.isidentifier():
            hint = "a fix is a subclass that imports the model: rename its file to a name of Python"
            raise usage_error(
                "DIO295",
                f"a fix of {model.__name__} cannot be written: `{cls.__module__}` cannot be imported",
                hint=hint,
            )


def _without_super(model: type[Model], body: Body, lines: Iterable[str], imports: _Imports) -> list[str]:
    """``super().op(i)`` written as ``Base.op(self, i)``, for the class in which the function was
    defined."""
    above = model.__mro__[model.__mro__.index(body.owner) + 1 :]

    def named(match: re.Match[str]) -> str:
        owner = next(cls for cls in above if match[1] in vars(cls))
        used = imports.take(owner.__name__, owner, _module_of_class(owner))
        return f"{used}.{match[1]}({body.receiver}{'' if match[2] == ')' else ', '}{match[2]}"

    return [re.sub(r"\bsuper\(\)\.(\w+)\((.)", named, line) for line in lines]


# --- the difference ---------------------------------------------------------------------------------------------------


def difference(model: type[Model], edit: Edit) -> str:
    """The edit as a unified diff of the files that define its functions."""
    files: dict[str, list[tuple[int, int, list[str]]]] = {}
    for body, changes in edit.changes.items():
        spliced = first_of(body.tree) - 1, body.tree.end_lineno or body.tree.lineno, edited_lines(body, changes)
        files.setdefault(body.file, []).append(spliced)
    if edit.declares:
        files.setdefault(model.__dio_place__[0], []).extend(_declared(model))
    return "".join(_difference(file, splices) for file, splices in sorted(files.items()))


def _declared(model: type[Model]) -> list[tuple[int, int, list[str]]]:
    """The difference with a line for the new lock before the first method of the class, and its
    import if needed."""
    file = model.__dio_place__[0]
    tree = module_tree(file)
    found: list[tuple[int, int, list[str]]] = []
    cls = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == model.__name__), None)
    if cls is not None:
        line = next((first_of(s) for s in cls.body if isinstance(s, ast.FunctionDef)), (cls.end_lineno or 0) + 1)
        found.append((line - 1, line - 1, [f"    {NEW_LOCK} = Mutex()", ""]))
    imported = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "dio_mc"]
    names = {a.name for n in imported for a in n.names}
    if not names & {"Mutex", "*"}:
        last = imported[-1].end_lineno or 0 if imported else 0
        found.append((last, last, ["from dio_mc import Mutex"]))
    if imported and found[1:] and imported[-1].lineno == imported[-1].end_lineno:
        last = imported[-1].lineno
        longer = f"from dio_mc import {', '.join(sorted({*(ast.unparse(a) for a in imported[-1].names), 'Mutex'}))}"
        found[1:] = [(last - 1, last, [longer])] if len(longer) <= 120 else found[1:]
    return found


def _difference(file: str, splices: list[tuple[int, int, list[str]]]) -> str:
    before = list(source_lines(file))
    after = list(before)
    for first, last, new in sorted(splices, key=lambda splice: splice[0], reverse=True):
        after[first:last] = new
    shown = display_path(file) if not Path(display_path(file)).is_absolute() else Path(file).name
    lines = difflib.unified_diff(before, after, f"a/{shown}", f"b/{shown}", lineterm="", n=2)
    return "".join(f"{line}\n" for line in lines)
