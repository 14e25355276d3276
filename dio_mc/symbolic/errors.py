"""Errors in the translation of a property to z3: the author's, with a position, or ours."""

from __future__ import annotations

from dio_mc.errors import Diagnostic, InternalError, ModelError
from dio_mc.source import Span


class FormulaError(ModelError):
    """A property uses something that has no translation; one diagnostic with its position."""

    def __init__(self, message: str, span: Span | None, code: str = "DIO102") -> None:
        super().__init__((Diagnostic(code, message, span),))
        self.message = message
        self.span = span


class TranslationMismatch(InternalError):
    """The two translations of a property differ, which is a fault of dio-mc. `details` shows a valuation on which they
    do."""
