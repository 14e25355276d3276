"""Operations of a random model made to call themselves, or each other, to a declared depth.

This is done to the text that is there already, with random numbers of its own.
"""

from __future__ import annotations

from typing import Any

VALUES = {
    "int": ("0", "1", "2"), "bool": ("True", "False"), "page": ("Page.CLEAN", "Page.DIRTY"),
    "rec": ("Rec(1)", "Rec(0, True)"),
}  # fmt: skip


def recur(model: Any, body: Any) -> None:
    """Give an operation a depth, and a call that leads back to it. `body` makes conditions."""
    r = body.r = model.deep
    called = r.choice([*model.calls, *model.spawns])
    other = next((c for c in model.calls if c.name == "put" and called.name == "get" and not c.loops), None)
    if other is not None and not _is_atomic(model.lines, called.name) and r.random() < 0.5:
        _insert(model, body, called, other)
        if r.random() < 0.7:  # else `put` need not lead back, and nothing is repeated
            _insert(model, body, other, called)
        called = r.choice([called, other])
    else:
        _insert(model, body, called, called)
    depth = r.choice(["1", "2", "2", "3", "size"])
    at = [n for n, line in enumerate(model.lines) if line.startswith(f"    def {called.name}(")]
    for place in at:
        head = next(n for n in range(place, 0, -1) if "@operation(" in model.lines[n])
        if place == at[-1] or r.random() < 0.5:  # the last class decides
            words = model.lines[head].replace("    @operation(", "").rstrip(")")
            model.lines[head] = f"    @operation({', '.join(filter(None, [words, f'depth={depth}']))})"


def _is_atomic(lines: list[str], name: str) -> bool:
    place = next(n for n, line in enumerate(lines) if line.startswith(f"    def {name}("))
    return "@atomic()" in lines[place - 1]


def _insert(model: Any, body: Any, caller: Any, callee: Any) -> None:
    """A call of `callee` under a condition, at the top or at the end of the body of `caller`, in one of its classes."""
    r, lines = body.r, model.lines
    begin = r.choice([n for n, line in enumerate(lines) if line.startswith(f"    def {caller.name}(")]) + 1
    end = next((n for n in range(begin, len(lines)) if not lines[n]), len(lines))
    end -= lines[end - 1].startswith("        return")
    given = dict(zip(("i", "j"), caller.parameters, strict=False))
    arguments = [
        r.choice(
            [
                *VALUES[t],
                *[n for n, kind in given.items() if kind == t] * 2,
                *["(i + 1) % 3"] * (t == "int" == given.get("i")),
            ]
        )
        for t in callee.parameters
    ]
    call = f"self.{callee.name}({', '.join(arguments)})"
    shapes = [call, f"v99 = {call}" if callee.result else call]
    if callee.result and callee.result == caller.result:
        shapes.append(f"return {call}")
    if callee.result == "int" and "x" in model.data:
        shapes.append(f"self.x = {call}")
    place = r.choice([begin, end])
    lines[place:place] = [f"        if {body.condition()}:", f"            {r.choice(shapes)}"]
