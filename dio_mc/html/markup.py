"""HTML of untrusted text: escaping, data for scripts, and documents that run only our own scripts.

Names, documentation and notes of a model are its author's text, and a trace file may come from anybody. There are three
barriers, each sufficient on its own: every text is escaped where it is put into markup; scripts insert data into the
page as text only; and the page's Content-Security-Policy lists the hashes of its scripts and styles, so that nothing
else is executed or loaded.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """A whole page. `blocks` are (id, media type, text) of data for the scripts, never executed. `extra` are additional
    sources of the policy, by directive."""

    title: str
    styles: Sequence[str]
    body: str
    scripts: Sequence[str]
    blocks: Sequence[tuple[str, str, str]] = ()
    extra: Sequence[tuple[str, str]] = ()

    def render(self) -> str:
        """The text of the file, to be encoded as UTF-8."""
        head = [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{attribute(self.policy)}">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
            '<link rel="icon" href="data:,">',
            f"<title>{text(self.title)}</title>",
            *(f"<style>{style}</style>" for style in self.styles),
            "</head><body>",
        ]
        tail = [f'<script type="{media}" id="{name}">{block}</script>' for name, media, block in self.blocks]
        tail += [f"<script>{script}</script>" for script in self.scripts]
        return "\n".join([*head, self.body, *tail, "</body></html>"]) + "\n"

    @property
    def policy(self) -> str:
        """The Content-Security-Policy: only these scripts and styles, and no network."""
        rules = {
            "default-src": "'none'",
            "script-src": " ".join(map(_hash, self.scripts)) or "'none'",
            "style-src": " ".join(map(_hash, self.styles)) or "'none'",
            "img-src": "data:",
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        for directive, source in self.extra:
            before = rules.get(directive, "'none'")
            rules[directive] = source if before == "'none'" else f"{before} {source}"
        return "; ".join(f"{directive} {sources}" for directive, sources in rules.items())


def asset(package: str, name: str) -> str:
    """A style or script that is shipped with a package, ready for use inside its element."""
    found = resources.files(package).joinpath(name).read_text(encoding="utf-8").strip()
    assert not any(mark in found for mark in ("</script", "</style", "<!--")), name
    return found


def visible(value: str) -> str:
    """The text with control characters, lone surrogates and bidirectional marks written as escapes."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in value)


def text(value: str) -> str:
    """The text, escaped for use inside an element."""
    return html.escape(visible(value), quote=True)


def prose(value: str) -> str:
    """Like `text`, with runs of blanks and newlines as one blank."""
    return text(" ".join(value.split()))


attribute = text
"""The text, escaped for use between double quotes; the same escapes serve."""


def block(value: str) -> str:
    """Text of several lines for use inside ``pre``."""
    return "\n".join(text(row) for row in value.split("\n"))


def data(value: Any) -> str:
    """A value as JSON that is safe inside a ``script`` element: no angle brackets, no ampersands, ASCII only."""
    found = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        found = found.replace(character, f"\\u{ord(character):04x}")
    return found


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
