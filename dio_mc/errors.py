"""Diagnostics and the exception hierarchy.

A diagnostic is a code, a span, a sentence and a hint. Codes: ``DIO1xx`` for the model, ``DIO2xx`` for usage and files,
``DIO3xx`` for findings about quality, ``DIO9xx`` for faults of dio-mc itself. `dio_mc.catalogue` has a page for each.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dio_mc.source import Span, display_path, excerpt


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message about a source position. `span` is None if there is none (a missing file); `file` then names the
    file."""

    code: str
    message: str
    span: Span | None = None
    hint: str = ""
    file: str = ""
    severity: str = "error"

    @property
    def head(self) -> str:
        """The first line, in the form editors jump to: ``file:line:col: error DIO104: message``."""
        where = self.span.head if self.span else display_path(self.file) if self.file else "dio-mc"
        return f"{where}: {self.severity} {self.code}: {self.message}".replace("\n", "\\n")

    def render(self) -> str:
        """The head, the source line with carets, the hint."""
        lines = [self.head]
        if self.span:
            lines += excerpt(self.span)
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class DioError(Exception):
    """Base class of all exceptions that this package raises on purpose; `exit_code` is the exit code of the command."""

    exit_code = 2


@dataclass(eq=False)
class ModelError(DioError):
    """The model, a file or the usage is wrong; `diagnostics` lists everything that was found."""

    diagnostics: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        return "\n".join(d.render() for d in self.diagnostics)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the lines of the model, not of dio-mc."""
        return str(self).splitlines()


@dataclass(eq=False)
class InternalError(DioError):
    """A fault of dio-mc itself: an engine's answer did not replay, a translation disagreed, the IR does not verify."""

    message: str
    details: Sequence[str] = field(default=())
    exit_code = 4

    def __str__(self) -> str:
        return "\n".join([f"internal error: {self.message}", *self.details])


def usage_error(code: str, message: str, *, file: str = "", hint: str = "") -> ModelError:
    """A `ModelError` with one diagnostic that has no position in a source file."""
    return ModelError((Diagnostic(code, message, None, hint, file),))


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """``did you mean `page`?`` for the nearest candidate, or the empty string."""
    near = difflib.get_close_matches(word, sorted(set(candidates)), n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""


def failed_io(error: OSError, file: str = "") -> str:
    """The message for an I/O error (a missing file, a full or broken disk), which is not a fault of dio-mc. `file` is
    named if the system names no file."""
    name = str(error.filename or file)
    where = f"{display_path(name)}: " if name else ""
    return f"dio-mc: error: {where}{error.strerror or error}"
