"""Every kind of expression gives its operands, in the order in which they are declared and evaluated."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pytest

from dio_mc.ir.expr import FALSE, TRUE, Expr, children

OPERANDS = {"Expr": TRUE, "tuple[Expr, ...]": (FALSE, TRUE)}


@pytest.mark.parametrize("kind", get_args(Expr), ids=lambda kind: kind.__name__)
def test_the_operands_are_the_fields_that_are_expressions(kind: Any) -> None:
    declared = [str(field.type) for field in fields(kind)]
    given = kind(*[OPERANDS.get(type_, 0) for type_ in declared])
    expected = [OPERANDS[type_] for type_ in declared if type_ in OPERANDS]
    flat = [part for one in expected for part in (one if isinstance(one, tuple) else (one,))]
    assert children(given) == tuple(flat)
