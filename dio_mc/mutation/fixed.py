"""The class that a model fixes, and the lines in which the two differ, each with the edits that
undo it.

The fixed class is the nearest base class for which an `expect` line states a violation; the user
may name another one. Functions are compared statement by statement. In a function that calls the
function it overrides through ``super()``, all other lines are additions; any other override is
aligned with the function that it replaces. Code that the fixed class has too, and code of the
library, is not part of a fix.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import dio_mc
from dio_mc.errors import did_you_mean, usage_error
from dio_mc.frontend.declare import members_of
from dio_mc.frontend.frames import shorten
from dio_mc.frontend.importing import imported
from dio_mc.lang.model import Model
from dio_mc.mutation.alignment import ADDED, HEADER, MOVED, REMOVED, REPLACED, Difference, differences
from dio_mc.mutation.bodies import Body, bodies_of, definition, is_atomic_block
from dio_mc.mutation.fixed_locks import AddedLocks
from dio_mc.mutation.locks import KNOWN, Edits, locks_of, use_of
from dio_mc.mutation.restoring import Restored, restored
from dio_mc.mutation.rewriting import Replacement, joined, located_expression
from dio_mc.source import Span, span_of

LIBRARY: Final = Path(dio_mc.__file__).parent
MARKS: Final = {ADDED: "+", REMOVED: "-", REPLACED: "~", HEADER: "~", MOVED: ">"}
"""How a line differs: added, removed, changed, or moved within its function."""


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line of a fix. `undone` describes a model without it, `edits` and `words` make that model.
    A line without `edits` is not undone by itself: it belongs to the line `partner` (a release to
    its acquisition), or `reason` says why not."""

    mark: str
    text: str
    span: Span
    function: str
    undone: str = ""
    edits: Edits = field(default_factory=dict, compare=False, repr=False)
    words: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    partner: int = 0
    reason: str = ""


def fixed_by(model: type[Model], name: str = "") -> type[Model] | None:
    """The class that a model fixes: the base class or class of the same module with the given name,
    or without a name the nearest base class that is expected to violate something. Raises
    `ModelError` (DIO208) for an unknown name."""
    above = [cls for cls in model.__mro__[1:] if issubclass(cls, Model) and cls is not Model]
    if not name:
        return next((cls for cls in above if any(e.violates for e in vars(cls).get("__dio_expectations__", ()))), None)
    module = imported(Path(model.__dio_place__[0]))
    beside = vars(module).values() if module is not None else ()
    known = {cls.__name__: cls for cls in (*_models(beside), *above)}
    known.pop(model.__name__, None)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
        raise usage_error("DIO208", f"no class `{name}` that {model.__name__} could be a fix of", hint=hint)
    return known[name]


def _models(values: Any) -> Iterator[type[Model]]:
    return (v for v in values if isinstance(v, type) and issubclass(v, Model) and v is not Model)


def lines_of_fix(model: type[Model], before: type[Model]) -> list[ChangedLine]:
    """The lines in which the functions of a model differ from those of the class that it fixes, by
    file and line."""
    everywhere = bodies_of(model)
    kept = {body.function for body in bodies_of(before)}
    found: list[ChangedLine] = []
    locks = AddedLocks(model, everywhere)
    for body in everywhere:
        if body.function not in kept and not _is_shared(body, before):
            found += _lines_of(body, before, everywhere, locks)
    found += [
        ChangedLine("+", line.text, line.span, line.use.body.name, line.undone, line.edits or {}, partner=line.partner)
        for line in locks.lines()
    ]
    return sorted(found, key=lambda line: (line.span.file, line.span.line, line.span.column, line.mark))


def changed_data(model: type[Model], before: type[Model]) -> list[str]:
    """The names of data and parameters that both classes declare differently: these are not
    undone."""
    one, other = members_of(model), members_of(before)
    pairs = [(name, value, other.data[name][0]) for name, (value, _) in one.data.items() if name in other.data]
    pairs += [(name, value, other.params[name]) for name, value in one.params.items() if name in other.params]
    return [name for name, value, earlier in pairs if value is not earlier and type(value).__module__ != "builtins"]


def is_library(file: str) -> bool:
    """Whether a file is part of dio-mc: the vocabulary of `dio_mc.kernel`, the locks of `dio_mc.lang`."""
    return Path(file).is_relative_to(LIBRARY) and not Path(file).is_relative_to(LIBRARY / "models")


def _is_shared(body: Body, before: type[Model]) -> bool:
    return body.owner in before.__mro__ or is_library(body.file)


def _lines_of(body: Body, before: type[Model], everywhere: list[Body], locks: AddedLocks) -> Iterator[ChangedLine]:
    earlier = definition(before, body.name)
    called = earlier is not None and any(b.function is earlier.function for b in everywhere)
    if earlier is not None and not called and _parameters(earlier) != _parameters(body):
        span = span_of(body.tree, body.file)
        yield ChangedLine("~", f"def {body.name}", span, body.name, reason="its parameters differ")
        return
    names = locks_of(before)
    back: dict[str, list[tuple[Difference, ChangedLine]]] = {}
    for found in differences([] if earlier is None or called else earlier.tree.body, body.tree.body):
        if found.kind == ADDED and _is_super(found.node, body):
            yield from _other_arguments(found.node, body)
            continue
        if found.kind == ADDED and _returns_super(found.node, body):
            continue
        line = _line(found, body, earlier, before, locks)
        lock = _removed_lock(found, earlier, names)
        if line is not None and lock and line.edits:
            back.setdefault(lock, []).append((found, line))
        elif line is not None:
            yield line
    for pairs in back.values():
        yield from _together(pairs, body)


def _removed_lock(found: Difference, earlier: Body | None, names: Mapping[str, type]) -> str:
    """The lock that a removed statement acquires or releases."""
    if found.kind != REMOVED or earlier is None or not isinstance(found.earlier, ast.Expr):
        return ""
    use = use_of(found.earlier.value, earlier, names)
    return use.lock if use is not None and use.method in KNOWN else ""


def _together(pairs: list[tuple[Difference, ChangedLine]], body: Body) -> Iterator[ChangedLine]:
    """Calls of one lock that a function no longer makes: they are restored together."""
    changes: dict[ast.AST, Replacement] = {}
    pairs = sorted(pairs, key=lambda pair: pair[1].span.line)
    for found, line in pairs:
        order = (changes, line.edits[body]) if found.last else (line.edits[body], changes)
        changes = joined(*order) or changes
    first = pairs[0][1]
    undone = first.undone if len(pairs) == 1 else f"with `{first.text}` and its release again"
    yield replace(first, undone=undone, edits={body: changes})
    for _, line in pairs[1:]:
        yield replace(line, undone="", edits={}, partner=first.span.line)


def _parameters(body: Body) -> list[str]:
    return [argument.arg for argument in body.tree.args.args]


def _is_super(node: ast.AST, body: Body) -> bool:
    """The call of the overridden function."""
    match node:
        case ast.Expr(value=value) | ast.Return(value=value) | ast.Assign(value=value):
            pass
        case _:
            return False
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name)):
            return name == body.name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
            return name == body.name and isinstance(body.function.__globals__.get(owner), type)
        case _:
            return False


def _returns_super(node: ast.AST, body: Body) -> bool:
    """``return data`` of the result of that call."""
    given = [s for s in body.tree.body if isinstance(s, ast.Assign) and _is_super(s, body)]
    names = {ast.unparse(target) for s in given for target in s.targets}
    return isinstance(node, ast.Return) and isinstance(node.value, ast.Name) and node.value.id in names


def _other_arguments(node: ast.AST, body: Body) -> Iterator[ChangedLine]:
    """Whether the overridden function is called with other arguments than those of this one."""
    call = next((n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)), None)
    if call is None:
        return
    assert isinstance(call.func, ast.Attribute)
    own = [ast.Name(name, ast.Load()) for name in _parameters(body)]
    plain = own[1:] if isinstance(call.func.value, ast.Call) else own
    if [ast.dump(a) for a in call.args] == [ast.dump(a) for a in plain] or call.keywords:
        return
    earlier = ast.Call(call.func, [*plain], [])
    for part in ast.walk(earlier):
        ast.copy_location(part, call)
    old, text = shorten(ast.unparse(earlier)), _shown(node)
    edits: Edits = {body: {call: earlier}}
    yield ChangedLine(
        "~", f"{text}  (was: {old})", span_of(node, body.file), body.name, f"`{old}` instead of `{text}`", edits
    )


def _line(
    found: Difference, body: Body, earlier: Body | None, before: type[Model], locks: AddedLocks
) -> ChangedLine | None:
    span = span_of(found.node, body.file)
    mark, text = MARKS[found.kind], _shown(found.node)
    if found.kind == ADDED:
        return _added(found.node, body, span, locks)
    assert earlier is not None
    assert found.earlier is not None
    back = restored(found.earlier, found.place, earlier, body, before)
    old = _shown(found.earlier)
    if found.kind == HEADER:
        old = f"{'while' if isinstance(found.node, ast.While) else 'if'} {old}:"
    if found.kind == REMOVED:
        span, text = span_of(found.earlier, earlier.file), old
    elif found.kind != MOVED:
        text = f"{text}  (was: {old})"
    if isinstance(back, str):
        return ChangedLine(mark, text, span, body.name, reason=back)
    edits, undone = _undone(found, back, old)
    return ChangedLine(mark, text, span, body.name, undone, {body: edits}, back.words)


def _undone(found: Difference, back: Restored, old: str) -> tuple[dict[ast.AST, Replacement], str]:
    """The edits that restore the earlier text, and a description of them."""
    node, new = found.node, back.node
    if found.kind == HEADER:
        return {node.test: new}, f"`{old}` instead of `{_shown(node)}`"  # type: ignore[attr-defined, dict-item]  # headers have a test
    if found.kind == REPLACED:
        return {node: [new]}, f"`{old}` instead of `{_shown(node)}`"  # type: ignore[list-item]  # a statement
    place: Any = found.place
    around = [place, new] if found.last else [new, place]
    if found.kind == REMOVED:
        return {place: around}, f"with `{old}` again"
    if place is node:
        return {node: [new]}, f"`{old}` where it was"  # type: ignore[list-item]  # a statement
    return {node: [], place: around}, f"`{old}` where it was"


def _added(node: ast.AST, body: Body, span: Span, locks: AddedLocks) -> ChangedLine | None:
    text = _shown(node)
    if locks.takes(node, span, text, body):
        return None
    edits: dict[ast.AST, Replacement]
    match node:
        case ast.If(test=test):
            edits, undone = {test: located_expression("True", test)}, f"`{text}` taken as true"
        case ast.While(test=ast.Constant()):
            return None
        case ast.While(body=inner) if not any(isinstance(n, ast.Break | ast.Continue) for n in ast.walk(node)):
            edits, undone = {node: list(inner)}, f"`{text}` does not test again"
        case ast.With(body=inner) if is_atomic_block(node, body):
            edits, undone = {node: list(inner)}, f"`{text}` in several steps"
        case ast.With() | ast.For():
            return None  # the name of a window, or a loop: useless without its statements
        case ast.While():
            return ChangedLine("+", text, span, body.name, reason="a loop with `break` or `continue`")
        case _:
            edits, undone = {node: []}, f"without `{text}`"
    return ChangedLine("+", text, span, body.name, undone, {body: edits})


def _shown(node: ast.AST) -> str:
    """A line as shown to the reader: of a compound statement its head."""
    match node:
        case ast.If(test=test):
            return shorten(f"if {ast.unparse(test)}:")
        case ast.While(test=test):
            return shorten(f"while {ast.unparse(test)}:")
        case ast.With() | ast.For():
            return shorten(ast.unparse(node).split("\n")[0])
        case _:
            return shorten(ast.unparse(node))
