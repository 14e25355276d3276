"""Trace -> a Mermaid sequence diagram, as GitHub and GitLab draw it: a participant per thread, and one for the shared
data.

Statements are messages of a thread to itself; changes of data are messages to ``shared``. Text from the model is
escaped, so that no name can end a line or open a tag.
"""

from __future__ import annotations

import re

from dio_mc.render.commit import entries, standing
from dio_mc.render.sentences import closing
from dio_mc.render.statement import printable
from dio_mc.trace.trace import Trace

_SPECIAL = re.compile(r"[^A-Za-z0-9 _.,()\[\]/=+!?-]")


def render_mermaid(trace: Trace) -> str:
    """The diagram as text with a newline at the end."""
    lines = ["sequenceDiagram"]
    lines += [f"    participant T{lane} as CPU{lane} {_text(thread.name)}" for lane, thread in enumerate(trace.cast)]
    lines.append("    participant S as shared")
    for entry, step in zip(entries(trace), trace.steps, strict=True):
        if entry.repeats:
            lines.append("    loop for ever")
        said = [text for _, text in entry.lines[entry.repeats :] if not _is_change(text)]
        changes = [text[3:-3] for _, text in entry.lines if _is_change(text)]
        shown = [text.removeprefix("/* ").removesuffix(" */") for text in said] or [f"{step.thread} runs"]
        lines.append(f"    T{entry.lane}->>T{entry.lane}: {_joined([f'{entry.number}. {shown[0]}', *shown[1:]])}")
        if changes:
            lines.append(f"    T{entry.lane}->>S: {_joined(changes)}")
    if trace.loop is not None:
        lines.append("    end")
    for entry in standing(trace):
        said = [text.removeprefix("/* ").removesuffix(" */") for _, text in entry.lines]
        lines.append(f"    Note over T{entry.lane}: {_joined(said)}")
    over = "S" if not trace.cast else "T0,S"
    lines.append(f"    Note over {over}: {_joined(closing(trace))}")
    return "\n".join(lines) + "\n"


def _is_change(text: str) -> bool:
    return text.startswith("/* ") and ": " in text and " -> " in text


def _joined(lines: list[str]) -> str:
    return "<br/>".join(_text(line) for line in lines)


def _text(text: str) -> str:
    """The text with all except plain characters as Mermaid's ``#60;``."""
    escaped = _SPECIAL.sub(lambda match: f"#{ord(match[0])};", printable(text))
    return re.sub(r"\b(end)\b", lambda match: f"#{ord(match[0][0])};{match[0][1:]}", escaped)
