"""The pages of the documentation, for ``dio-mc help tutorial``: those of the wheel, or of the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def docs_folder() -> Path:
    """The copy that a wheel has, else ``docs/`` of the checkout that this package lies in."""
    installed = _PACKAGE / "docs"
    return installed if installed.is_dir() else _PACKAGE.parent / "docs"


def titles() -> dict[str, str]:
    """Each page's name with its heading."""
    return {path.stem: _heading(path) for path in sorted(docs_folder().glob("*.md"))}


def page(name: str) -> str | None:
    """The text of a page that is named ``tutorial``, ``tutorial.md`` or ``docs/tutorial.md``; None if there is none."""
    stem = name.removeprefix("docs/").removesuffix(".md")
    path = next((path for path in docs_folder().glob("*.md") if path.stem == stem), None)
    return path.read_text(encoding="utf-8") if path else None


def _heading(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix("# ") for line in lines if line.startswith("# ")), path.stem)
