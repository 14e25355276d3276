"""Every single edit of a model, kind by kind, without regard to their effect. Edits that cannot be
a fix are left out: a store where there was none of its kind (`Surroundings.may_store`), an edit
inside one step, a lock taken twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import EnumMeta

from dio_mc.fix.edit import Edit
from dio_mc.fix.pieces import Piece, calls, conditions, stores
from dio_mc.fix.places import Block, blocks_of, goes_on, is_docstring, leaves, places_of, shown
from dio_mc.fix.sections import relooks, sections
from dio_mc.fix.surroundings import Surroundings
from dio_mc.mutation.bodies import Body, stretches
from dio_mc.mutation.rewriting import located_expression
from dio_mc.source import span_of


def edits_of(around: Surroundings) -> list[Edit]:
    """All single edits, in a fixed order: by function, kind and place. Of two moves with the same
    result, the first."""
    found: list[Edit] = []
    moved: set[str] = set()
    pieces = {"wait": _waits(around), "call": calls(around), "store": stores(around)}
    for body in around.editable:
        for edit in _in(body, around, pieces):
            text = ast.dump(edit.trees()[body.function]) if edit.kind == "move" else ""
            if text not in moved:
                found.append(edit)
            moved |= {text} if text else set()
    return found


def _waits(around: Surroundings) -> list[Piece]:
    return [Piece(f"wait_until({c.text})", c.free, c.words) for c in conditions(around)]


def _in(body: Body, around: Surroundings, pieces: dict[str, list[Piece]]) -> Iterator[Edit]:
    blocks = list(blocks_of(body, around))
    open_blocks = [block for block in blocks if not block.atomic]
    for block in open_blocks:
        yield from sections(block, around)
        yield from relooks(block, around)
    for block in open_blocks:
        yield from _moves(block, open_blocks, around)
    for kind, size in (("wait", 1), ("call", 1), ("store", 1)):
        for block in open_blocks:
            yield from _additions(kind, size, block, pieces[kind], around)
    yield from _constants(body, around)


def _additions(kind: str, size: int, block: Block, pieces: list[Piece], around: Surroundings) -> Iterator[Edit]:
    allowed = around.may_store(block.body)
    for place in places_of(block):
        for piece in pieces:
            if not _may_stand(piece, block.body, allowed, around):
                continue
            for text in piece.fitted(block.body, block.names):
                if text == ast.unparse(place.anchor):
                    continue
                span = span_of(place.anchor, block.body.file)
                yield Edit(
                    kind, f"`{text}` {place.words()}", block.body.name, span, size,
                    {block.body: place.put_text(text)}, about=_about(piece, around), words=piece.words,
                )  # fmt: skip


def _about(piece: Piece, around: Surroundings) -> tuple[str, ...]:
    if piece.called is not None:
        return tuple(sorted(around.stores(piece.called) & around.read))
    return (piece.about,) if piece.about else ()


def _may_stand(piece: Piece, body: Body, allowed: frozenset[str], around: Surroundings) -> bool:
    if piece.about and piece.about not in allowed:
        return False
    called = piece.called
    return called is None or (around.stores(called) <= allowed and not around.calls(called, body))


def _moves(block: Block, blocks: list[Block], around: Surroundings) -> Iterator[Edit]:
    """Each statement of a block at each other place of the function inside the same loops, so that
    it runs as often as before."""
    for number, statement in enumerate(block.statements):
        if is_docstring(statement) or not goes_on(statement) or isinstance(statement, ast.While) or leaves(statement):
            continue
        inner = {id(node) for node in ast.walk(statement)}
        stored = tuple(sorted(around.stored_by(statement, block.body) & around.read))
        beside = block.statements[number + 1] if number + 1 < len(block.statements) else None
        for place in (p for b in blocks if b.loops == block.loops for p in places_of(b)):
            if id(place.anchor) in inner or (place.anchor is beside and not place.after):
                continue
            changes = {**place.put([statement]), statement: []}
            text = f"`{shown(statement)}` {place.words()}"
            span = span_of(statement, block.body.file)
            yield Edit("move", text, block.body.name, span, 1, {block.body: changes}, about=stored)


def _constants(body: Body, around: Surroundings) -> Iterator[Edit]:
    """Another member of an enum in an assignment to a variable that some function reads."""
    for statement in (s for stretch in stretches(body) for s in stretch.statements):
        if not isinstance(statement, ast.Assign):
            continue
        names = {n.attr for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Attribute)}
        if not names & around.read:
            continue
        for node in ast.walk(statement.value):
            for other in _siblings(node, body):
                new = located_expression(other, node)
                text = f"`{other}` instead of `{ast.unparse(node)}` in `{shown(statement)}`"
                span = span_of(statement, body.file)
                yield Edit(
                    "constant", text, body.name, span, 1, {body: {node: new}}, about=tuple(sorted(names & around.read))
                )


def _siblings(node: ast.AST, body: Body) -> Iterator[str]:
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=member):
            enum = body.function.__globals__.get(name)
            if isinstance(enum, EnumMeta) and member in enum.__members__:
                first, *further = enum.__members__  # the first, which a variable holds before any store, comes last
                yield from (f"{name}.{other}" for other in (*further, first) if other != member)
        case _:
            return
