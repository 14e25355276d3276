"""Small pieces of wording that several report formats share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dio_mc.checking.results import Report
from dio_mc.semantics.search import counted_up_to
from dio_mc.wording import plural


def stem_of(report: Report, stems: Mapping[str, str] | None = None) -> str:
    """``ext3_2_6_18.Ext3@pages=2``: the name of a report's counterexample folder. `stems` holds the stems of files that
    share their name with another file of the run (`stems_of`)."""
    return f"{(stems or {}).get(report.file) or _parts(report.file)[-1]}.{report.model}"


def stems_of(files: Iterable[str]) -> dict[str, str]:
    """Distinct stems for files that have the same name in different folders: ``a.one`` and ``b.one`` for ``a/one.py``
    and ``b/one.py``. Files with a unique name are left out."""
    known = {file: _parts(file) for file in dict.fromkeys(files)}
    found: dict[str, str] = {}
    for file, parts in known.items():
        others = [other for name, other in known.items() if name != file and other[-1] == parts[-1]]
        length = 1
        while length < len(parts) and any(other[-length:] == parts[-length:] for other in others):
            length += 1
        if length > 1:
            found[file] = ".".join(parts[-length:])
    return found


def _parts(file: str) -> list[str]:
    return file.replace("\\", "/").removesuffix(".py").split("/")


def counted(report: Report) -> str:
    """``114 states``; for a reduced search ``185 states up to symmetry``, ``185 states by partial order``."""
    return plural(report.states, "state") + counted_up_to(report.reductions)
