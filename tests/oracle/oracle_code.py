"""The oracle's code: a body as a list of small instructions with jumps, one list per function. See `oracle`.

An instruction has a weight: ``step`` (it begins a step), ``ghost`` (it writes history), ``window`` (it enters a window)
or ``local``. Inside an atomic block every weight is local.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from oracle_words import Declared, Lock

FILE = "<model>"


@dataclass
class Instr:
    """`act` is what it does: "do" runs `run`, "branch" goes on after it or at `target`, "jump", "call", "return"."""

    act: str
    line: int
    weight: str = "local"
    run: Any = None
    target: int = -1
    callee: Any = None
    into: Any = None


@dataclass
class Function:
    """`key` names it in positions; `def_line` is where its ``def`` stands; `result` says that callers may use one."""

    key: str
    def_line: int
    parameters: list[str]
    code: list[Instr] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    number: int = 0
    method: str = ""


@dataclass(frozen=True)
class Index:
    code: CodeType


@dataclass(frozen=True)
class Target:
    """What an assignment writes: a variable of the model or a local, and the way into it."""

    name: str
    shared: bool
    way: tuple[Index | str, ...]


def expression(node: ast.expr) -> CodeType:
    """Python's own compiler, with the line numbers of the model."""
    return compile(ast.fix_missing_locations(ast.Expression(node)), FILE, "eval", dont_inherit=True)


class Translator:
    """Translates one function. `owner` is the class in which it stands."""

    def __init__(self, model: Any, owner: str, key: str, tree: ast.FunctionDef, *, atomic: bool) -> None:
        self.model = model
        self.owner = owner
        self.tree = tree
        parameters = [a.arg for a in tree.args.args][1:]
        self.function = Function(key, tree.lineno, parameters, method=tree.name)
        self.depth = 0
        self.windows = 0
        self.loops: list[tuple[list[Instr], list[Instr], int]] = []
        self.annotated: dict[str, CodeType] = {}
        self.atomic = atomic

    def translate(self) -> Function:
        if self.atomic:
            self.emit("do", self.tree, "step", lambda w: None)
            self.depth += 1
        self.block(self.tree.body)
        self.emit("return", self.tree)
        code = self.function.code
        stored = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        hidden = {i.into for i in code if isinstance(i.into, str)}
        self.function.names = sorted({*self.function.parameters, *stored, *hidden, *self.hidden})
        return self.function

    hidden: frozenset[str] = frozenset()

    def hide(self, name: str) -> str:
        """A local that the source does not have."""
        self.hidden = self.hidden | {name}
        return name

    # -- instructions --------------------------------------------------------------------------------------------------

    def emit(self, act: str, node: Any, weight: str = "local", run: Any = None, **more: Any) -> Instr:
        weight = "local" if self.depth else weight
        made = Instr(act, node.lineno, weight, run, **more)
        self.function.code.append(made)
        return made

    @property
    def here(self) -> int:
        return len(self.function.code)

    # -- statements ----------------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> None:
        for one in body:
            self.statement(one)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call() as call):
                self.call_statement(call, node)
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value, node)
            case ast.Assign(targets=targets, value=value):
                self.chained(targets, value, node)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                self.annotated[name] = expression(annotation)
                if value is not None:
                    self.assign(node.target, value, node)
            case ast.AugAssign(target=target, op=op, value=value):
                read = ast.parse(ast.unparse(target), mode="eval").body
                for part in ast.walk(read):
                    ast.copy_location(part, node)
                self.assign(target, ast.copy_location(ast.BinOp(read, op, value), node), node)
            case ast.If():
                self.if_(node)
            case ast.While():
                self.while_(node)
            case ast.For():
                self.for_(node)
            case ast.Return(value=value):
                self.return_(value, node)
            case ast.Break():
                self.leave_windows(node)
                self.loops[-1][0].append(self.emit("jump", node))
            case ast.Continue():
                self.leave_windows(node)
                self.loops[-1][1].append(self.emit("jump", node))
            case ast.Assert(test=test):
                condition = expression(test)

                def check(w: Any) -> None:
                    if not w.value(condition):
                        w.fail("assertion", node.lineno)

                shared, ghost = self.touches(test)
                self.emit("do", node, "step" if shared else "ghost" if ghost else "local", check)
            case ast.With(items=[item], body=body):
                self.with_(item.context_expr, body, node)
            case _:
                raise NotImplementedError(ast.unparse(node))

    def leave_windows(self, node: ast.stmt) -> None:
        """The windows that were entered in the loop around a statement that leaves it."""
        for _ in range(self.windows - self.loops[-1][2]):
            self.emit("do", node, "local", lambda w: w.close_window())

    def with_(self, head: ast.expr, body: list[ast.stmt], node: ast.stmt) -> None:
        assert isinstance(head, ast.Call)
        assert isinstance(head.func, ast.Name)
        if head.func.id == "window":
            assert isinstance(head.args[0], ast.Constant)
            name = head.args[0].value
            self.emit("do", node, "window", lambda w: w.open_window(name))
            self.windows += 1
            self.block(body)
            self.windows -= 1
            self.emit("do", node, "local", lambda w: w.close_window())
        else:
            self.emit("do", node, "step", lambda w: None)
            self.depth += 1
            self.block(body)
            self.depth -= 1

    # -- control -------------------------------------------------------------------------------------------------------

    def test(self, test: ast.expr, node: ast.stmt, *, history: bool = False) -> Instr:
        """A branch; the caller sets where it goes when the condition does not hold."""
        options = self.options(test)
        if options is not None:
            name = self.hide(f"choice {node.lineno}")
            self.emit("do", node, "step", lambda w: w.set_local(name, w.choose(options)))
            return self.emit("branch", node, "local", lambda w: w.local(name))
        condition = expression(test)
        shared, _ = self.touches(test)
        weight = "ghost" if history else "step" if shared else "local"
        return self.emit("branch", node, weight, lambda w: w.value(condition))

    def if_(self, node: ast.If) -> None:
        only_history = self.history(node) and any(not isinstance(s, ast.Pass) for s in [*node.body, *node.orelse])
        skip = self.test(node.test, node, history=only_history)
        self.block(node.body)
        if node.orelse:
            over = self.emit("jump", node)
            skip.target = self.here
            self.block(node.orelse)
            over.target = self.here
        else:
            skip.target = self.here

    def while_(self, node: ast.While) -> None:
        head = self.here
        always = isinstance(node.test, ast.Constant) and node.test.value is True
        leave = None if always else self.test(node.test, node)
        self.loop(node, head, head, leave)

    def loop(self, node: ast.While | ast.For, head: int, again: int, leave: Instr | None) -> None:
        self.loops.append(([], [], self.windows))
        self.block(node.body)
        breaks, continues, _ = self.loops.pop()
        for one in continues:
            one.target = again
        self.emit("jump", node, target=head)
        if leave is not None:
            leave.target = self.here
        self.block(node.orelse)
        for one in breaks:
            one.target = self.here

    def for_(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name)
        sequence, counter = self.hide(f"sequence {node.lineno}"), self.hide(f"counter {node.lineno}")
        name, over = node.target.id, expression(node.iter)

        def begin(w: Any) -> None:
            w.set_local(sequence, tuple(w.value(over)))
            w.set_local(counter, 0)

        shared, _ = self.touches(node.iter)
        self.emit("do", node, "step" if shared else "local", begin)
        head = self.here
        leave = self.emit("branch", node, "local", lambda w: w.local(counter) < len(w.local(sequence)))

        def advance(w: Any) -> None:
            w.set_local(name, w.local(sequence)[w.local(counter)])
            w.set_local(counter, w.local(counter) + 1)

        self.emit("do", node, "local", advance)
        self.loop(node, head, head, leave)

    def return_(self, value: ast.expr | None, node: ast.stmt) -> None:
        if value is None:
            self.emit("return", node)
            return
        name = self.hide("return")
        self.assign(ast.copy_location(ast.Name(name, ast.Store()), node), value, node)
        self.emit("return", node, into=name)

    # -- assignments and calls -----------------------------------------------------------------------------------------

    def assign(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
        options = self.options(value)
        if options is not None:
            where = self.target(target)

            def pick(w: Any) -> None:
                chosen = w.choose(options)
                w.store([where], [chosen], self.annotated)

            self.emit("do", node, "step", pick)
            return
        if isinstance(value, ast.Call) and self.steps_of(value, node) is not None:
            if isinstance(target, ast.Name):
                self.call(value, node, target.id)
                return
            name = self.hide(f"result {node.lineno}")
            self.call(value, node, name)
            value = ast.copy_location(ast.Name(name, ast.Load()), node)
            local, what = name, self.target(target)
            weight = self.weight([target], None)
            self.emit("do", node, weight, lambda w: w.store([what], [w.local(local)], self.annotated))
            return
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        places, parallel = [self.target(t) for t in targets], isinstance(target, ast.Tuple)
        code = expression(value)

        def store(w: Any) -> None:
            found = w.value(code)
            w.store(places, list(found) if parallel else [found], self.annotated)

        self.emit("do", node, self.weight(targets, value), store)

    def chained(self, targets: list[ast.expr], value: ast.expr, node: ast.stmt) -> None:
        """``a = b = value``: one statement, its value found once."""
        places, options = [self.target(t) for t in targets], self.options(value)
        code = expression(value) if options is None else None

        def store(w: Any) -> None:
            found = w.value(code) if options is None else w.choose(options)
            w.store(places, [found] * len(places), self.annotated)

        self.emit("do", node, "step" if options else self.weight(targets, value), store)

    def weight(self, targets: list[ast.expr], value: ast.expr | None) -> str:
        """Writing shared state is a step, writing history joins, otherwise reading shared state is a step."""
        written = [self.root(t) for t in targets]
        if any(r in self.model.declared and r not in self.model.ghosts for r in written):
            return "step"
        if any(r in self.model.ghosts for r in written):
            return "ghost"
        indexes = [n.slice for t in targets for n in ast.walk(t) if isinstance(n, ast.Subscript)]
        read = [*indexes, *([] if value is None else [value])]
        return "step" if any(self.touches(n)[0] for n in read) else "local"

    def root(self, node: ast.expr) -> str:
        """The attribute of self that an expression goes into; empty for a local."""
        while isinstance(node, ast.Subscript | ast.Attribute):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                return node.attr
            node = node.value
        return ""

    def target(self, node: ast.expr) -> Target:
        way: list[Index | str] = []
        while True:
            match node:
                case ast.Name(id=name):
                    return Target(name, False, tuple(reversed(way)))
                case ast.Attribute(value=ast.Name(id="self"), attr=name):
                    return Target(name, True, tuple(reversed(way)))
                case ast.Attribute(value=inner, attr=name):
                    way.append(name)
                    node = inner
                case ast.Subscript(value=inner, slice=index):
                    way.append(Index(expression(index)))
                    node = inner
                case _:
                    raise NotImplementedError(ast.unparse(node))

    def call_statement(self, call: ast.Call, node: ast.stmt) -> None:
        if isinstance(call.func, ast.Name) and call.func.id == "wait_until":
            condition = expression(call.args[0])

            def wait(w: Any) -> None:
                w.may_sleep()
                w.block_unless(w.value(condition))

            self.emit("do", node, "step", wait)
        elif isinstance(call.func, ast.Name) and call.func.id == "spawn":
            arguments = [expression(a) for a in call.args[1:]]
            assert isinstance(call.args[0], ast.Attribute)
            name = call.args[0].attr
            self.emit("do", node, "step", lambda w: w.spawn(name, [w.value(a) for a in arguments]))
        elif isinstance(call.func, ast.Name) and call.func.id == "smp_mb":
            self.emit("do", node, "step", lambda w: w.full_barrier())
        elif isinstance(call.func, ast.Name) and call.func.id in ("smp_wmb", "smp_rmb"):
            if call.func.id == "smp_wmb" and self.model.reorders:
                self.emit("do", node, "step", lambda w: w.store_barrier())
        elif isinstance(call.func, ast.Name) and call.func.id == "smp_store_release":
            self.release(call, node)
        elif isinstance(call.func, ast.Name) and call.func.id == "crash":
            self.emit("do", node, "step", lambda w: w.crash())
        else:
            self.call(call, node, None)

    def release(self, call: ast.Call, node: ast.stmt) -> None:
        """A store after all earlier ones."""
        target, value = call.args
        assert isinstance(target, ast.Attribute)
        name, code = target.attr, expression(value)

        def store(w: Any) -> None:
            found = w.value(code)
            if self.model.reorders:
                w.store_barrier()
            w.relaxed_store(name, found)

        self.emit("do", node, "step", store)

    def steps_of(self, call: ast.Call, node: ast.stmt) -> str | None:
        """``lock`` or ``operation`` for a call that takes steps."""
        if not isinstance(call.func, ast.Attribute):
            return None
        base = call.func.value
        if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "super":
            return "operation"
        if isinstance(base, ast.Name) and base.id == "self":
            return "operation" if call.func.attr in self.model.operations else None
        if isinstance(base, ast.Name) and isinstance(self.model.words.get(base.id), type):
            return "operation" if (base.id, call.func.attr) in self.model.trees else None
        lock = self.lock_class(base)
        return "lock" if lock is not None and call.func.attr in lock.steps else None

    def lock_class(self, node: ast.expr) -> Lock | None:
        declared = self.model.declared.get(self.root(node))
        inner = declared.type if isinstance(declared, Declared) else declared
        if isinstance(inner, type) and issubclass(inner, Lock):
            return inner()
        return inner if isinstance(inner, Lock) else None

    def call(self, call: ast.Call, node: ast.stmt, into: str | None) -> None:
        kind = self.steps_of(call, node)
        assert isinstance(call.func, ast.Attribute), ast.unparse(call)
        assert not call.keywords, ast.unparse(call)
        base = call.func.value
        explicit = isinstance(base, ast.Name) and base.id != "self"
        given = call.args[1:] if explicit else call.args  # Base.op(self, ...)
        arguments = [expression(a) for a in given]
        if kind == "operation":
            shared = any(self.touches(a)[0] for a in given)
            callee: Any = call.func.attr
            if isinstance(base, ast.Call):
                callee = self.model.method_above(self.owner, call.func.attr)
            elif explicit:
                callee = self.model.method_of(base.id, call.func.attr)
            self.emit(
                "call", node, "step" if shared else "local", lambda w: [w.value(a) for a in arguments], callee=callee,
                into=into, target=int(self.depth > 0),
            )  # fmt: skip
            return
        assert kind == "lock", ast.unparse(call)
        lock = self.lock_class(call.func.value)
        place, method = self.target(call.func.value), call.func.attr
        assert lock is not None
        first = lock.before(method)
        if first is not None:
            self.emit("do", node, "step", lambda w: w.lock(place, first, [], None))
        self.emit("do", node, "step", lambda w: w.lock(place, method, [w.value(a) for a in arguments], into))

    # -- what touches what ---------------------------------------------------------------------------------------------

    def options(self, node: ast.expr | None) -> list[Callable[[Any], Any]] | None:
        """The options of ``choose(...)``: each gives its value, or blocks."""
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "choose"):
            return None
        if len(node.args) > 1:
            return [self._plain(expression(a)) for a in node.args]
        (one,) = node.args
        if not isinstance(one, ast.GeneratorExp):
            listed = list(eval(expression(one), dict(self.model.words)))
            return [(lambda w, v=v: v) for v in listed]
        (loop,) = one.generators
        assert isinstance(loop.target, ast.Name)
        name, element, guards = loop.target.id, expression(one.elt), [expression(i) for i in loop.ifs]
        listed = list(eval(expression(loop.iter), dict(self.model.words)))
        return [self._guarded(name, v, element, guards) for v in listed]

    @staticmethod
    def _plain(code: CodeType) -> Callable[[Any], Any]:
        return lambda w: w.value(code)

    @staticmethod
    def _guarded(name: str, value: Any, element: CodeType, guards: list[CodeType]) -> Callable[[Any], Any]:
        def option(w: Any) -> Any:
            for guard in guards:
                w.block_unless(w.value(guard, {name: value}))
            return w.value(element, {name: value})

        return option

    def touches(self, node: ast.AST, seen: frozenset[str] = frozenset()) -> tuple[bool, bool]:
        """Whether an expression reads shared state, and whether it reads history; through pure methods as well."""
        shared = ghost = False
        for part in ast.walk(node):
            if not (isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self"):
                continue
            if part.attr in self.model.ghosts:
                ghost = True
            elif part.attr in self.model.declared:
                shared = True
            elif part.attr in self.model.pure and part.attr not in seen:
                inner = self.touches(self.model.pure[part.attr], seen | {part.attr})
                shared, ghost = shared or inner[0], ghost or inner[1]
        return shared, ghost

    def history(self, node: ast.stmt) -> bool:
        """Whether a statement only writes history."""
        match node:
            case ast.Pass():
                return True
            case ast.Assign(targets=[target]):
                listed = target.elts if isinstance(target, ast.Tuple) else [target]
                return all(self.root(t) in self.model.ghosts for t in listed)
            case ast.AugAssign(target=target):
                return self.root(target) in self.model.ghosts
            case ast.If(body=body, orelse=orelse):
                return all(self.history(s) for s in [*body, *orelse])
            case _:
                return False
