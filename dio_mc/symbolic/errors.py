"""What can go wrong between a property and z3: the author's fault with its place, or ours."""

from __future__ import annotations

from dio_mc.errors import Diagnostic, InternalError, ModelError
from dio_mc.source import Span


class FormulaError(ModelError):
    """A property says something that has no translation; one diagnostic with its place."""

    def __init__(self, message: str, span: Span | None, code: str = "DIO102") -> None:
        super().__init__((Diagnostic(code, message, span),))
        self.message = message
        self.span = span


class TranslationMismatch(InternalError):
    """The two translations of a property differ: a fault of dio-mc. `details` shows a valuation on which they do."""
