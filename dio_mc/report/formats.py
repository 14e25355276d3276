"""The report formats by name, each imported on demand, and the writing of report files."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from dio_mc.files import write_if_changed
from dio_mc.report.batch import Batch
from dio_mc.source import display_path
from dio_mc.wording import visible, without_commands

_WRITERS = {
    "text": ("text", "batch_text"),
    "concise": ("concise", "report_concise"),
    "json": ("json", "report_json"),
    "jsonl": ("json", "report_jsonl"),
    "junit": ("junit", "report_junit"),
    "sarif": ("sarif", "report_sarif"),
    "github": ("github", "report_github"),
    "ktap": ("ktap", "report_ktap"),
    "markdown": ("markdown", "report_markdown"),
}


def rendered(form: str, batch: Batch) -> str:
    """The batch in a format, ending with a newline, without characters that a terminal or a log would interpret. A lone
    surrogate in a model's text is escaped."""
    module, function = _WRITERS[form]
    write: Callable[[Batch], str] = getattr(import_module(f"dio_mc.report.{module}"), function)
    text = visible(write(batch).encode("utf-8", "backslashreplace").decode())
    return text if form == "github" else without_commands(text)


def write_report(form: str, path: Path, batch: Batch) -> str | None:
    """Write a report file atomically. Returns a sentence if that failed, otherwise None."""
    try:
        write_if_changed(path, rendered(form, batch))
    except OSError as error:
        return f"{display_path(str(path))}: cannot be written: {error.strerror or error}"
    return None
