"""Thread bodies -> templates: compile until the types of locals no longer change, cut into steps, compute liveness."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from dio_mc.errors import Diagnostic
from dio_mc.frontend.assignment import local_type
from dio_mc.frontend.calls import body_of
from dio_mc.frontend.context import Abort, Context, Scope, parameters_of
from dio_mc.frontend.declare import Members, function_span
from dio_mc.frontend.frames import Frame, TemplateState
from dio_mc.frontend.graph import Node, RegionKey, Weight
from dio_mc.frontend.liveness import Uses, live_at_entry, unassigned_reads
from dio_mc.frontend.locking import lock_places, not_held
from dio_mc.frontend.recursion import Entered
from dio_mc.frontend.shapes import ScalarTree
from dio_mc.frontend.statements import compile_body
from dio_mc.frontend.steps import Cut, CutLocation, cut
from dio_mc.frontend.storage import NoCommonType, Storage, join_trees
from dio_mc.frontend.values import Scalar
from dio_mc.ir.expr import Const, Expr, Local
from dio_mc.ir.ops import Assign, Check, LocalTo, StoreTo, successors
from dio_mc.ir.program import Location, Region, Template
from dio_mc.ir.types import RangeType, ScalarType, bounds, show_value
from dio_mc.lang.model import anchor_of
from dio_mc.source import function_tree

MAX_PASSES = 12

Arguments = tuple[tuple[tuple[int | None, str], ...], ...]
"""The arguments of a location, as in `Location.arguments`."""


@dataclass(slots=True)
class Draft:
    """One template while the types of its locals are still being widened."""

    name: str
    function: Any
    owner: type
    daemon: bool
    spawned: bool
    storage: Storage = field(default_factory=Storage)
    state: TemplateState | None = None


Known = Mapping[str, tuple[Template, Sequence[Region]]]
"""Templates that need not be compiled, by the name of the thread."""


def compile_templates(
    context: Context, members: Members, asked: Asked, known: Known
) -> tuple[list[Template], list[Region]]:
    """All templates of a model and their regions. Errors are left in the diagnostics of the context."""
    threads = [Draft(n, f, owner, role.daemon, False) for n, (f, owner, role) in members.threads.items()]
    threads += [Draft(n, *members.operations[n][:2], False, True) for n in context.spawned]
    drafts = [draft for draft in threads if draft.name not in known]
    earlier = list(context.diagnostics.found)
    for _ in range(MAX_PASSES):
        context.diagnostics.found = list(earlier)
        for target in context.spawned.values():
            target.begin_pass()
        for draft in drafts:
            if draft.spawned:
                context.spawned[draft.name].compiled = True
            context.asking = draft.name
            _compile(draft, context, asked)
        context.asking = ""
        if not any(d.storage.changed for d in drafts) and not any(t.changed for t in context.spawned.values()):
            break
    else:
        _unbounded(drafts, context)
    if context.diagnostics.errors:
        return [], []
    templates: list[Template] = []
    regions: list[Region] = []
    for number, draft in enumerate(threads):
        template, found = known.get(draft.name) or _finish(draft, number, context, asked)
        templates.append(template)
        regions += found
    return templates, regions


@dataclass(frozen=True, slots=True)
class Asked:
    """What properties refer to in ``inside``: operations, which become regions, and names of arguments."""

    operations: frozenset[str]
    arguments: frozenset[str]


def _unbounded(drafts: list[Draft], context: Context) -> None:
    for draft in drafts:
        assert draft.state is not None
        for name in sorted(draft.storage.changed):
            where = draft.state.last_assignment.get(name)
            if where is not None:
                scope, node = where
                short = name.rsplit(".", 1)[-1]
                scope.fail(
                    "DIO105",
                    node,
                    f"`{short}` has no bound: it grows with every round",
                    f"annotate its first assignment: `{short}: Range(0, 3) = ...`",
                )


def _compile(draft: Draft, context: Context, asked: Asked) -> None:
    """Perform one pass over a thread's body."""
    draft.storage.begin_pass()
    context.inlined.begin()
    state = TemplateState(draft.name, context, draft.storage, asked.operations)
    draft.state = state
    tree = function_tree(draft.function)
    if tree is None:
        context.diagnostics.add(
            Diagnostic("DIO118", f"the source of `{draft.name}` cannot be read", None, "define it in a file")
        )
        return
    scope = Scope(context, draft.function, draft.owner, {}, context.receiver())
    if not tree.args.args:
        scope.fail("DIO111", tree, f"`{draft.name}` does not take `self`")
        return
    operations = (draft.name,) if draft.spawned else ()
    anchor = context.ask(anchor_of, draft.name, draft.function)
    entered = Entered(draft.function, draft.name in context.depths)
    frame = Frame(
        state, scope, tree, "", "return" if draft.spawned else "", 0, operations, anchor, draft.name, (entered,),
        anchors=tuple(anchor for _ in operations),
    )  # fmt: skip
    scope.locate = frame.locate
    scope.bindings[tree.args.args[0].arg] = context.receiver()
    frame.exit = state.graph.label(frame.site(tree, ""))
    state.graph.start = -1
    start = state.graph.label(frame.site(tree, ""))
    state.graph.mark(start)
    _parameters(draft, tree, frame)
    if getattr(draft.function, "__dio_atomic__", False):
        state.graph.emit(Node(Weight.STEP, frame.site(tree, draft.name)))
        frame.inner = True
    region = RegionKey(f"{draft.name}()", frame.arguments, state.regions, window=False)
    asked_about = draft.spawned and draft.name in asked.operations
    if asked_about:
        state.regions += 1
        state.graph.emit(Node(Weight.LOCAL, frame.site(tree, ""), enter=region))
    if not _never_spawned(draft, tree, context):
        compile_body(body_of(tree), frame)
    state.graph.mark(frame.exit)
    if asked_about:
        state.graph.emit(Node(Weight.LOCAL, frame.site(tree, ""), leave=region))
    _held_at_exit(frame, tree)
    state.graph.emit(Node(Weight.LOCAL, frame.site(tree, "end"), end=True))


def _never_spawned(draft: Draft, tree: ast.FunctionDef, context: Context) -> bool:
    """Whether only overridden methods spawn this operation, so that the types of its arguments are unknown and its body
    is left out."""
    return draft.spawned and bool(parameters_of(tree)) and not context.spawned[draft.name].parameters


def _parameters(draft: Draft, tree: ast.FunctionDef, frame: Frame) -> None:
    """Create the locals of parameters: a thread may take its instance number; a spawned operation has its latched
    arguments."""
    names = parameters_of(tree)
    if draft.spawned:
        types = frame.state.context.spawned[draft.name].parameters
        for name in names:
            if name in types:
                _given(name, types[name], tree, frame)
    elif len(names) > 1:
        raise_at = frame.scope.fail(
            "DIO111", tree, f"thread `{draft.name}` takes {len(names)} parameters", "at most one: its instance number"
        )
        del raise_at, names[1:]
    elif names:
        count = len(frame.state.context.thread_groups[draft.name])
        _given(names[0], RangeType(0, max(0, count - 1)), tree, frame)
    for name in names:
        if name in frame.storage.types:
            frame.storage.targets(name)
    frame.arguments = tuple((n, n) for n in names if n in frame.storage.types)
    frame.shown = (tuple((n, n) for n in names),) if draft.spawned else ()


def _given(name: str, type_: ScalarType, tree: ast.FunctionDef, frame: Frame) -> None:
    """Give a parameter a type that contains all values of `type_`. The body may assign other values, as to any
    local."""
    value = Scalar(Const(bounds(type_)[1], type_))
    try:
        found = local_type(name, value, tree, frame)
        if join_trees(found, ScalarTree(type_)) != found:
            raise frame.scope.fail("DIO116", tree, f"`{name}` is annotated with a type that does not hold what it gets")
    except (Abort, NoCommonType):
        return


def _held_at_exit(frame: Frame, tree: ast.FunctionDef) -> None:
    for name, place in lock_places(frame.state.context):
        if name.split("[", maxsplit=1)[0] in frame.state.touched_locks:
            condition = not_held(place, frame)
            span = function_span(frame.scope.function)
            check = Check(condition, "lock_misuse", f"`{name}` is still held at exit", span)
            frame.graph.emit(Node(Weight.LOCAL, frame.site(tree, "end"), check))


def _finish(draft: Draft, number: int, context: Context, asked: Asked) -> tuple[Template, list[Region]]:
    assert draft.state is not None
    shape = cut(draft.state.graph)
    slots = {name: index for name, (index, _) in draft.storage.slots.items()}
    regions = _regions(shape, number, slots)
    watched = _watched(regions, asked)
    uses = Uses(shape.blocks)
    live = live_at_entry(uses, watched)
    variables = draft.storage.variables()
    everything = range(len(variables))
    locations = [Location("end", -1, "end", None, (), tuple(everything))]
    taken: dict[str, int] = {}
    ghosts = frozenset(n for n, variable in enumerate(context.variables) if variable.ghost)
    for found in shape.locations:
        kills = tuple(i for i in everything if i not in live[found.block])
        locations.append(_location(found, kills, taken, _shown(found, kills, shape, slots, ghosts)))
    tree = function_tree(draft.function)
    assert tree is not None
    count = len(parameters_of(tree))
    _check_assigned(uses, shape.entry, count, [v.name for v in variables], context)
    template = Template(
        draft.name, draft.daemon, draft.spawned, count, variables, tuple(shape.blocks), tuple(locations), shape.entry,
        function_span(draft.function),
    )  # fmt: skip
    return template, regions


def _check_assigned(uses: Uses, entry: int, parameters: int, names: list[str], context: Context) -> None:
    for local, span in unassigned_reads(uses, entry, frozenset(range(parameters))):
        short = names[local].rsplit(".", 1)[-1]
        message = f"local `{short}` is not assigned on every way that leads here"
        if short == "return":
            message = "the operation does not return a value on every way through it"
        context.diagnostics.add(Diagnostic("DIO115", message, span, "assign it first"))


def _passed(block: int, shape: Cut, ghosts: frozenset[int]) -> dict[int, Expr]:
    """The values that locals are assigned before the statement of a step: at its start, and after loops of ghosts
    there."""
    passed: dict[int, Expr] = {}
    seen: set[int] = set()
    ahead = [block]
    while ahead:
        here = ahead.pop()
        if here in seen or (here != block and shape.blocks[here].location is not None):
            continue
        seen.add(here)
        given = list(takewhile(lambda op: isinstance(op, Assign), shape.blocks[here].ops))
        pairs = [(t, v) for op in given if isinstance(op, Assign) for t, v in zip(op.targets, op.values, strict=True)]
        for target, value in pairs:
            if isinstance(target, LocalTo):
                passed.setdefault(target.index, value)
        stores = any(isinstance(t, StoreTo) and t.variable not in ghosts for t, _ in pairs)
        if not stores and len(given) == len(shape.blocks[here].ops):
            ahead += successors(shape.blocks[here])
    return passed


def _shown(
    found: CutLocation, kills: tuple[int, ...], shape: Cut, slots: dict[str, int], ghosts: frozenset[int]
) -> Arguments:
    """Where to find the arguments of the calls around a location. For an argument that the step itself passes on, the
    place that it is copied from."""
    if all(slots.get(local) not in kills for call in found.site.arguments for local, _ in call):
        return tuple(tuple((slots.get(local), name) for local, name in call) for call in found.site.arguments)
    passed = _passed(found.block, shape, ghosts)

    def place(local: str, name: str) -> tuple[int | None, str]:
        slot = slots.get(local)
        for _ in range(len(passed) + 1):
            if slot is None or slot not in kills:
                return slot, name
            match passed.get(slot):
                case Const(value, type_):
                    return None, show_value(type_, value)
                case Local(index):
                    slot = index
                case None:
                    return slot, name
                case _:
                    return None, name
        return None, name

    return tuple(tuple(place(*one) for one in call) for call in found.site.arguments)


def _location(found: CutLocation, kills: tuple[int, ...], taken: dict[str, int], arguments: Arguments) -> Location:
    site = found.site
    taken[site.name] = taken.get(site.name, 0) + 1
    name = site.name if taken[site.name] == 1 else f"{site.name}#{taken[site.name]}"
    return Location(
        name, found.block, site.text, site.anchor, site.operations, kills, site.span, site.code, arguments, site.anchors
    )


def _regions(shape: Cut, number: int, slots: dict[str, int]) -> list[Region]:
    inside: dict[RegionKey, set[int]] = {key: set() for key in shape.entered}
    for position, location in enumerate(shape.locations, start=1):
        for key in location.open:
            inside.setdefault(key, set()).add(position)
    ordered = sorted(inside, key=lambda key: key.occurrence)
    return [
        Region(key.name, number, frozenset(inside[key]), tuple((n, slots[s]) for n, s in key.arguments if s in slots))
        for key in ordered
    ]


def _watched(regions: list[Region], asked: Asked) -> dict[int, frozenset[int]]:
    """For each location, the arguments of its regions that a property may refer to: they stay live there."""
    found: dict[int, frozenset[int]] = {}
    for region in regions:
        slots = frozenset(index for name, index in region.arguments if name in asked.arguments)
        for location in region.locations:
            found[location] = found.get(location, frozenset()) | slots
    return found
