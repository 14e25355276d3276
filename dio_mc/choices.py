"""Names that the command line, the configuration file and Python share."""

from __future__ import annotations

from typing import Final

ENGINES: Final = ("auto", "reference", "native")
REPORT_FORMATS: Final = ("text", "concise", "json", "jsonl", "junit", "sarif", "github", "ktap", "markdown")
TRACE_FORMATS: Final = ("text", "commit", "lkml", "mermaid", "itf", "svg", "html", "dot", "json")
