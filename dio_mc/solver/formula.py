"""The author's formula as a z3 term: the rewritten source run over the constants of `symbols`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import z3

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.ir.program import Program, Property
from dio_mc.solver.encode import select
from dio_mc.solver.rewrite import formula
from dio_mc.solver.symbols import TYPE, Symbols
from dio_mc.solver.views import FormulaError


@dataclass(frozen=True, slots=True)
class TermSource:
    """Cells as z3 constants."""

    symbols: Symbols

    @property
    def program(self) -> Program:
        """The program."""
        return self.symbols.program

    def read(self, variable: int, indices: Sequence[Any], after: bool) -> Any:
        """A cell's constant, or a chain of conditions for an index that is a term."""
        term = select(self.symbols, variable, indices, after)
        if getattr(term, TYPE, None) is None:
            setattr(term, TYPE, self.program.variables[variable].type)
        return term

    def at(self, thread: int, locations: frozenset[int], after: bool) -> Any:
        """The constant for where a thread stands."""
        return self.symbols.at(thread, locations, after)

    def local(self, thread: int, index: int, after: bool) -> Any:
        """The constant for a thread's local."""
        return self.symbols.local(thread, index, after)


def as_term(property_: Property, symbols: Symbols) -> Any:
    """The property as a z3 Bool. Raises `ModelError` (DIO113) where its source means nothing to z3."""
    try:
        found = formula(property_, TermSource(symbols))
    except FormulaError as error:
        raise _wrong(property_, str(error)) from None
    except z3.Z3Exception as error:
        text = error.value.decode() if isinstance(error.value, bytes) else str(error)
        raise _wrong(property_, f"z3 says: {text}") from None
    except (TypeError, AttributeError, ValueError, KeyError, IndexError, NameError, RuntimeError) as error:
        raise _wrong(property_, f"{type(error).__name__}: {error}") from None
    return z3.BoolVal(found) if isinstance(found, bool) else found


def _wrong(property_: Property, why: str) -> ModelError:
    message = f"`{property_.name}` cannot be turned into a formula: {why}"
    return ModelError((Diagnostic("DIO113", message, property_.span),))
