"""Certificates: proofs for any number of threads or pages as JSON, to be stored and checked again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dio_mc import __version__
from dio_mc.anynumber.asked import Asked
from dio_mc.anynumber.proof import Ground
from dio_mc.anynumber.states import Common, Lone
from dio_mc.anynumber.steps import MOST_CREDITS
from dio_mc.anynumber.triples import Triples
from dio_mc.anynumber.views import Views, bits
from dio_mc.errors import ModelError, usage_error
from dio_mc.ir.types import bounds

SCHEMA = "dio-mc/certificate/1"
"""The value of the field `schema` in every certificate."""
_FIELDS = frozenset(
    [
        "schema", "version", "model", "params", "any", "pages", "digest", "credits", "kinds", "common", "threads", "of",
        "views",
    ]
)  # fmt: skip


def certificate_text(model: str, asked: Asked, params: dict[str, int], ground: Ground, views: Views | Triples) -> str:
    """The certificate of a proof as JSON text with a final newline: the model and its parameters, the version of
    dio-mc, the digest of the program, and the views."""
    cells = ground.checking.cells
    names = [cells.layout.names[cell] for cell in cells.common]
    threads = [[t.kind, list(t.row), list(t.flags), list(t.credits)] for t in views.threads]
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "model": model,
        "params": params,
        "any": list(asked.threads),
        "pages": asked.pages,
        "digest": ground.program.digest,
        "credits": bool(ground.checking.alone.counters),
        "kinds": [kind.name for kind in ground.places.kinds],
        "common": names,
        "threads": threads,
        "of": 3 if isinstance(views, Triples) else 2,
        "views": _links(views) if isinstance(views, Triples) else _graphs(views),
    }
    return json.dumps(document, separators=(",", ":")) + "\n"


def _graphs(views: Views) -> list[object]:
    return [
        [
            list(common),
            [[one, [other for other in bits(row) if other >= one]] for one, row in sorted(rows.items()) if row],
        ]
        for common, rows in views.rows.items()
    ]


def _links(views: Triples) -> list[object]:
    return [[list(common), list(map(_link, sorted(links.items())))] for common, links in views.links.items()]


def _link(link: tuple[tuple[int, int], int]) -> list[object]:
    (one, other), mask = link
    return [one, other, [third for third in bits(mask) if third >= other]]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The contents of a certificate. `model` is the name of the class, `threads` and `pages` are the scope of the proof
    (`asked.Asked`), `digest` is that of the program, `credits` is true if counters are split, `kinds` and `common` are
    the names of the kinds and of the common cells."""

    model: str
    params: dict[str, int]
    threads: tuple[str, ...]
    pages: str | None
    digest: str
    credits: bool
    kinds: tuple[str, ...]
    common: tuple[str, ...]
    views: Views | Triples


def read_certificate(text: str, file: str) -> Certificate:
    """Read a certificate. Raises `ModelError` (DIO271) if the text is not a certificate, or was written by another
    version."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise _unreadable(file, f"it is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _unreadable(file, f"its schema is not {SCHEMA}")
    if document.get("version") != __version__:
        raise _unreadable(file, f"it was written by version {document.get('version')!r}, this is {__version__}")
    if document.keys() - _FIELDS:
        raise _unreadable(file, f"it has the unknown field {min(document.keys() - _FIELDS)!r}")
    try:
        return Certificate(
            _text(document["model"]),
            {name: _number(value) for name, value in document["params"].items()},
            tuple(map(_text, document["any"])),
            None if document["pages"] is None else _text(document["pages"]),
            _text(document["digest"]),
            _truth(document["credits"]),
            tuple(map(_text, document["kinds"])),
            tuple(map(_text, document["common"])),
            _views(document),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise _unreadable(file, f"it is damaged: {type(error).__name__}") from None


def refuse_unless_fitting(kept: Certificate, asked: Asked, ground: Ground, file: str) -> None:
    """Raises `ModelError` (DIO271) if the certificate does not belong to this program: other names of threads or data,
    or a thread or state with a value out of range."""
    cells, kinds = ground.checking.cells, ground.places.kinds
    if kept.threads != asked.threads or kept.kinds != tuple(kind.name for kind in kinds):
        raise _unreadable(file, "its threads have other names than this program's")
    if kept.common != tuple(cells.layout.names[cell] for cell in cells.common):
        raise _unreadable(file, "its data has other names than this program's")
    counters = len(ground.checking.alone.counters)
    if kept.credits != bool(counters):
        raise _unreadable(file, "its counters are represented differently than in this program's proofs")
    ranges = [bounds(type_) for type_ in cells.layout.types]

    def fits(values: Sequence[int], where: Sequence[int]) -> bool:
        pairs = zip(values, where, strict=False)
        return len(values) == len(where) and all(ranges[cell][0] <= value <= ranges[cell][1] for value, cell in pairs)

    for thread in kept.views.threads:
        known = 0 <= thread.kind < len(kinds) and cells.ids.issuperset(thread.flags)
        known = known and len(thread.credits) == counters and all(0 <= c <= MOST_CREDITS for c in thread.credits)
        if not known or not fits(thread.row, cells.rows[kinds[thread.kind].members[0]]):
            raise _unreadable(file, "it has a thread that cannot be one of this program's")
    states = kept.views.links if isinstance(kept.views, Triples) else kept.views.rows
    if not all(fits(common, cells.common) for common in states):
        raise _unreadable(file, "it has a state that cannot be one of this program's")


def _views(document: dict[str, Any]) -> Views | Triples:
    if _number(document["of"]) not in (2, 3):
        raise ValueError("a view is of two threads or of three")
    views: Views | Triples = Triples() if document["of"] == 3 else Views()
    for kind, row, flags, credits in document["threads"]:
        thread = Lone(_number(kind), *(tuple(map(_number, cells)) for cells in (row, flags, credits)))
        if thread in views.numbers:
            raise ValueError("a thread stands there twice")
        views.number(thread)
    for common, graph in document["views"]:
        state = tuple(map(_number, common))
        if isinstance(views, Triples):
            _join_triples(views, state, graph)
        else:
            _join_pairs(views, state, graph)
    return views


def _join_pairs(views: Views, state: Common, graph: Any) -> None:
    rows = views.rows.setdefault(state, {})
    for one, others in graph:
        views.join(rows, _place(one, views), sum({1 << _place(other, views) for other in others}))


def _join_triples(views: Triples, state: Common, graph: Any) -> None:
    links = views.links.setdefault(state, {})
    for one, other, others in graph:
        for third in others:
            views.join(links, *(_place(n, views) for n in (one, other, third)))


def _place(number: Any, views: Views | Triples) -> int:
    if not 0 <= _number(number) < len(views.threads):
        raise ValueError("no such thread")
    return int(number)


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a number is needed")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is needed")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("true or false is needed")
    return value


def _unreadable(file: str, reason: str) -> ModelError:
    return usage_error("DIO271", f"not a certificate that can be checked: {reason}", file=file)
