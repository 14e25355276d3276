"""The mutation operators: a statement is missing, a condition is not tested, two statements are
swapped.

Each operator yields `Change`s without regard to their effect. Statements of one atomic step are not
swapped, because no other thread can run between them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dio_mc import lang
from dio_mc.frontend.frames import shorten
from dio_mc.lang.model import ROLE, OperationRole
from dio_mc.mutation.bodies import Body, Stretch, is_atomic_block, stretches
from dio_mc.mutation.locks import ACQUIRE, RELEASE, use_of
from dio_mc.mutation.rewriting import Replacement, located_expression


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What operators need to know about the model: its locks, its parameters, its functions by
    name."""

    locks: Mapping[str, type]
    params: frozenset[str]
    functions: Mapping[str, Body]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a body. `place` is the node that is changed."""

    kind: str
    text: str
    place: ast.AST
    replaced: Mapping[ast.AST, Replacement]


Operator = Callable[[Body, Surroundings], Iterator[Change]]


def changes_of(body: Body, around: Surroundings) -> Iterator[Change]:
    """All changes of one body, by operator."""
    for operator in (_waits, _calls, _stores, _checks, _conditions, _neighbours, _atomic_blocks):
        yield from operator(body, around)


def _statements(body: Body) -> Iterator[tuple[ast.stmt, Stretch]]:
    if not body.pure:
        for stretch in stretches(body):
            for statement in stretch.statements:
                yield statement, stretch


# --- statements that are missing --------------------------------------------------------------------------------------


def _waits(body: Body, around: Surroundings) -> Iterator[Change]:
    """``wait_until(...)``, ``i_dio_count.wait()``."""
    for statement, _ in _statements(body):
        if (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Call)
            and _is_wait(statement.value, body, around)
        ):
            yield Change("wait", f"without `{_shown(statement)}`", statement, {statement: []})


def _is_wait(call: ast.Call, body: Body, around: Surroundings) -> bool:
    use = use_of(call, body, around.locks)
    return body.names(call.func, lang.wait_until) or (use is not None and use.method == "wait")


def _calls(body: Body, around: Surroundings) -> Iterator[Change]:
    """A call of an operation is omitted; a boolean result is taken to be true. The calls of threads
    are the workload and are not removed."""
    for statement, _ in _statements(body):
        match statement:
            case ast.Expr(value=ast.Call() as call) if not body.thread and _operation(call, body, around) is not None:
                yield Change("call", f"without `{_shown(statement)}`", statement, {statement: []})
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                called = _operation(call, body, around)
                if called is not None and not body.thread and _says_whether(called):
                    text = f"`{name} = True` instead of `{_shown(call)}`"
                    yield Change("call", text, statement, {call: located_expression("True", call)})
            case _:
                pass


def _operation(call: ast.Call, body: Body, around: Surroundings) -> Body | None:
    """The operation that a call inlines."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == body.receiver:
            called = around.functions.get(attribute)
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=attribute):
            called = around.functions.get(attribute)
        case _:
            return None
    return called if called is not None and isinstance(getattr(called.function, ROLE, None), OperationRole) else None


def _says_whether(body: Body) -> bool:
    """Whether all values that a function returns are booleans, as far as the text shows."""
    returned = [node.value for node in ast.walk(body.tree) if isinstance(node, ast.Return)]
    return bool(returned) and all(value is not None and _is_truth(value, body) for value in returned)


def _is_truth(value: ast.expr, body: Body) -> bool:
    match value:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
            return True
        case ast.BoolOp(values=values):
            return all(_is_truth(v, body) for v in values)
        case ast.Name(id=name):
            given = [
                node.value
                for node in ast.walk(body.tree)
                if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
            ]
            return (
                bool(given)
                and not any(isinstance(v, ast.Name) for v in given)
                and all(_is_truth(v, body) for v in given)
            )
        case _:
            return False


def _stores(body: Body, around: Surroundings) -> Iterator[Change]:
    """An assignment to the model's data is omitted."""
    del around
    for statement, _ in _statements(body):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AugAssign) else targets
        if targets and not any(
            isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) for t in targets for n in ast.walk(t)
        ):
            yield Change("store", f"without `{_shown(statement)}`", statement, {statement: []})


# --- conditions -------------------------------------------------------------------------------------------------------


def _checks(body: Body, around: Surroundings) -> Iterator[Change]:
    """An ``if`` whose condition is taken as true or as false; a ``while`` that does not test
    again."""
    for statement, _ in _statements(body):
        match statement:
            case ast.If(test=test) if _asks(test, around):
                for word in ("True", "False"):
                    text = f"`if {_shown(test)}` taken as {word.lower()}"
                    yield Change("check", text, statement, {test: located_expression(word, test)})
            case ast.While(test=test, body=inner) if _asks(test, around) and not _leaves(inner):
                once = ast.copy_location(ast.If(test, inner, []), statement)
                yield Change("check", f"`while {_shown(test)}` does not test again", statement, {statement: [once]})
            case _:
                pass


def _asks(test: ast.expr, around: Surroundings) -> bool:
    """Whether an expression reads the state, not only parameters."""
    names = [n.attr for n in ast.walk(test) if isinstance(n, ast.Attribute)]
    owners = {id(n.value) for n in ast.walk(test) if isinstance(n, ast.Attribute)}
    locals_ = [n for n in ast.walk(test) if isinstance(n, ast.Name) and id(n) not in owners]
    return bool(locals_) or any(name not in around.params for name in names)


def _leaves(statements: list[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Break | ast.Continue) for s in statements for node in ast.walk(s))


def _conditions(body: Body, around: Surroundings) -> Iterator[Change]:
    """``a and b`` or ``a or b`` without one operand."""
    for place, whole in _asked(body, around):
        for left in whole.values:
            rest = [value for value in whole.values if value is not left]
            less = rest[0] if len(rest) == 1 else ast.copy_location(ast.BoolOp(whole.op, rest), whole)
            yield Change("condition", f"`{_shown(whole)}` without `{_shown(left)}`", place, {whole: less})


def _asked(body: Body, around: Surroundings) -> Iterator[tuple[ast.AST, ast.BoolOp]]:
    """The conditions with several parts, and their places."""
    if body.pure:
        yield from ((node, node) for node in ast.walk(body.tree) if isinstance(node, ast.BoolOp))
        return
    for statement, _ in _statements(body):
        match statement:
            case ast.If(test=test) | ast.While(test=test):
                inside: ast.AST = test
            case ast.Assign(value=inside) | ast.Return(value=ast.expr() as inside):
                pass
            case ast.Expr(value=ast.Call(args=[inside]) as call) if _is_wait(call, body, around):
                pass
            case _:
                continue
        yield from ((statement, node) for node in ast.walk(inside) if isinstance(node, ast.BoolOp))


# --- order ------------------------------------------------------------------------------------------------------------


def _neighbours(body: Body, around: Surroundings) -> Iterator[Change]:
    """Two statements are swapped. If one of them acquires or releases a lock, its critical section
    becomes smaller; swaps that would only make it larger are left out."""
    if body.pure:
        return
    for stretch in stretches(body):
        if stretch.atomic:
            continue
        for first, second in zip(stretch.statements, stretch.statements[1:], strict=False):
            kind = _kind_of_swap(first, second, body, around)
            if kind is not None:
                text = f"`{_shown(second)}` before `{_shown(first)}`"
                yield Change(kind, text, second, {first: [second, first], second: []})


def _kind_of_swap(first: ast.stmt, second: ast.stmt, body: Body, around: Surroundings) -> str | None:
    if (
        not (_steps(first, body) and _steps(second, body))
        or _binds(first) & _mentions(second)
        or ast.dump(first) == ast.dump(second)
    ):
        return None
    takes = [_lock_method(s, body, around) for s in (first, second)]
    match takes:
        case [taken, None] if taken in ACQUIRE:
            return "shrink"
        case [None, taken] if taken in RELEASE:
            return "shrink"
        case [one, other] if one in ACQUIRE and other in ACQUIRE:
            return "swap"
        case [None, None]:
            return "swap"
        case _:
            return None


def _lock_method(statement: ast.stmt, body: Body, around: Surroundings) -> str | None:
    use = use_of(statement.value, body, around.locks) if isinstance(statement, ast.Expr) else None
    return use.method if use is not None else None


def _steps(statement: ast.stmt, body: Body) -> bool:
    """Whether a statement can be swapped: it accesses the model, and control continues after it."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return False
    if not isinstance(statement, ast.Expr | ast.Assign | ast.AugAssign | ast.If | ast.With):
        return False
    inner = list(ast.walk(statement))
    if any(isinstance(node, ast.Break | ast.Continue | ast.Return | ast.While) for node in inner):
        return False
    return any(isinstance(node, ast.Name) and node.id == body.receiver for node in inner)


def _binds(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _mentions(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}


def _atomic_blocks(body: Body, around: Surroundings) -> Iterator[Change]:
    """``with atomic():`` is removed, so that its statements are single steps."""
    del around
    for statement, stretch in _statements(body):
        if (
            isinstance(statement, ast.With)
            and not stretch.atomic
            and is_atomic_block(statement, body)
            and _several(statement)
        ):
            text = f"`{_shown(statement)}` in several steps"
            yield Change("atomic", text, statement, {statement: list(statement.body)})


def _several(block: ast.With) -> bool:
    return len(block.body) > 1 or isinstance(block.body[0], ast.If | ast.For | ast.While)


def _shown(node: ast.AST) -> str:
    """The source in one line; of an atomic block its contents."""
    if isinstance(node, ast.With):
        return shorten("; ".join(ast.unparse(s) for s in node.body))
    return shorten(ast.unparse(node))
