"""Who may import whom. The table is the architecture; a new arrow is a decision and is made here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dio_mc"
TESTS = Path(__file__).resolve().parents[1]
EVERYONE = {"source", "errors", "__version__"}
LAYERS: dict[str, set[str]] = {
    "source": set(),
    "errors": set(),
    "wording": set(),
    "display": set(),
    "files": set(),
    "memory": set(),
    "guard": {"semantics"},
    "cache": {"semantics"},
    "deep": {"guard"},
    "choices": set(),
    "config": {"choices"},
    "catalogue": set(),
    "ir": set(),
    "lang": {"ir"},
    "kernel": {"lang"},
    "frontend": {"guard", "lang", "ir"},
    "models": {"frontend"},
    "semantics": {"wording", "ir"},
    "trace": {"display", "files", "semantics", "ir"},
    "symbolic": {"semantics", "ir"},
    "analysis": set(),
    "analysis.values": {"semantics", "ir"},
    "analysis.symmetry": {"semantics", "ir"},
    "analysis.partial_order": {"analysis.values", "semantics", "ir"},
    "engines": set(),
    "engines.limits": {"memory", "semantics"},
    "engines.kept": {"trace", "semantics", "ir"},
    "engines.reference": {"engines.checkpoints", "guard", "engines.kept", "engines.limits", "semantics", "ir"},
    "engines.checkpoints": {"cache", "files", "guard", "semantics", "ir"},
    "engines.native": {
        "engines.checkpoints", "analysis.partial_order", "analysis.symmetry", "analysis.values", "cache", "guard", "memory", "semantics", "ir",
    },
    "engines.disk": {"engines.checkpoints", "engines.native", "guard", "memory", "semantics", "wording"},
    "engines.cluster": {"engines.disk", "engines.limits", "engines.native", "guard", "semantics"},
    "engines.shaping": {"guard", "engines.kept", "engines.limits", "engines.native", "engines.reference", "semantics"},
    "engines.compiled": {
        "engines.checkpoints", "engines.cluster", "engines.disk", "engines.limits", "engines.native", "engines.shaping",
        "semantics",
    },
    "engines.partly": {
        "engines.kept", "engines.limits", "engines.native", "engines.reference", "engines.shaping", "guard", "wording",
        "semantics", "ir",
    },
    "engines.reducers": {"analysis.partial_order", "analysis.symmetry", "analysis.values", "semantics", "ir"},
    "engines.strategy": {"semantics"},
    "engines.choose": {
        "engines.strategy", "engines.checkpoints", "engines.compiled", "engines.kept", "engines.limits", "engines.native", "engines.partly",
        "engines.reducers", "engines.reference", "analysis.partial_order", "analysis.symmetry", "analysis.values",
        "cache", "guard", "semantics", "ir",
    },
    "engines.agree": {"analysis.partial_order", "analysis.symmetry", "engines.choose", "engines.reducers", "semantics", "ir"},
    "explain": {"guard", "engines.limits", "engines.reference", "frontend", "lang", "symbolic", "trace", "semantics", "ir", "wording"},
    "stepping": {"engines.reference", "trace", "semantics", "ir"},
    "render": {"trace"},
    "html": {"files", "render", "stepping", "trace", "wording"},
    "export": {"semantics", "ir"},
    "mutation": {"frontend", "lang", "semantics", "ir"},
    "fix": {"frontend", "kernel", "lang", "mutation", "wording", "semantics", "ir"},
    "anynumber": {"analysis.symmetry", "frontend", "lang", "semantics", "ir"},
    "study": {
        "guard", "engines.limits", "engines.reference", "frontend", "kernel", "lang", "models", "trace", "wording",
        "semantics", "ir",
    },
    "machine": {"lang", "study", "trace"},
    "checking": set(),
    "checking.results": {"display", "trace", "semantics"},
    "checking.expectations": {"checking.results", "lang", "trace"},
    "checking.findings": {"frontend", "lang", "semantics", "ir"},
    "checking.driver": {
        "checking.expectations", "checking.findings", "checking.results", "engines.agree", "engines.checkpoints", "engines.choose",
        "engines.limits", "engines.reference", "explain", "frontend", "guard", "lang", "symbolic", "trace", "semantics",
        "ir",
    },
    "checking.general": {
        "anynumber", "checking.driver", "checking.results", "engines.limits", "lang", "semantics",
    },
    "checking.runs": {
        "anynumber", "cache", "checking.driver", "checking.expectations", "checking.general", "checking.results",
        "engines.limits", "fix", "frontend", "guard", "lang", "memory", "models", "mutation", "study", "trace", "wording",
        "semantics",
    },
    "report": {
        "catalogue", "checking.results", "files", "fix", "html", "mutation", "render", "stepping", "wording", "trace",
        "semantics",
    },
}  # fmt: skip
"""Room -> the rooms it may import besides itself, `source` and `errors`; each of these arrows is taken somewhere."""
FACES = {"api", "cli", "pytest_plugin", "__main__", "__init__"}
"""May import everything; nobody imports them (`__init__` only for the version and the language; it alone imports `api`)."""
HEAVY = {
    "z3": {"symbolic"},
    "networkx": {"trace", "study"},
    "llvmlite": {"engines.native"},
    "ray": {"engines.cluster"},
    "click": {"cli"},
    "pytest": {"pytest_plugin"},
}
"""Third-party packages and the only layers that may name them."""


def room_of(module: str) -> str:
    """The room of a module's name without ``dio_mc.``: ``engines.native`` of ``engines.native.table``."""
    parts = module.split(".")
    return next((room for n in (2, 1) if (room := ".".join(parts[:n])) in LAYERS), parts[0])


def layer_of(path: Path) -> str:
    return room_of(".".join(path.relative_to(PACKAGE).with_suffix("").parts))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """All that a file imports, names included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def layers_in(names: Iterable[str]) -> set[str]:
    return {room_of(name.removeprefix("dio_mc.")) for name in names if name.startswith("dio_mc.")}


FILES = sorted(PACKAGE.rglob("*.py"))


def test_a_file_imports_only_what_its_layer_may() -> None:
    others = {path: layer for path in FILES if (layer := layer_of(path)) not in FACES}
    wrong = {
        str(path.relative_to(PACKAGE)): more
        for path, layer in others.items()
        if (more := layers_in(imports_of(path)) - LAYERS[layer] - EVERYONE - {layer})
    }
    assert len(others) > 300
    assert wrong == {}


@pytest.mark.parametrize("room", LAYERS)
def test_every_arrow_is_taken(room: str) -> None:
    taken = set().union(*(layers_in(imports_of(path)) for path in FILES if layer_of(path) == room))
    assert LAYERS[room] - taken == set()


def test_heavy_packages_are_named_in_one_layer() -> None:
    named = ((path, name, HEAVY.get(name.split(".")[0])) for path in FILES for name in imports_of(path))
    wrong = [
        (str(path.relative_to(PACKAGE)), name)
        for path, name, owners in named
        if owners and layer_of(path) not in owners
    ]
    assert wrong == []


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(out.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {"z3", "networkx", "click", "dio_mc.frontend", "dio_mc.checking"}
    assert loaded_by("import dio_mc") & heavy == set()
    assert loaded_by("from dio_mc import Model") & heavy == set()


def test_the_command_line_loads_click_alone() -> None:
    loaded = loaded_by("import dio_mc.cli")
    assert "click" in loaded
    ours = {m for m in loaded if m.startswith("dio_mc.")}
    assert {m for m in ours if not m.startswith("dio_mc.cli.")} == {"dio_mc.cli", "dio_mc.choices", "dio_mc.display"}
    assert loaded & {"z3", "networkx"} == set()


def test_files_of_tests_have_names_of_their_own() -> None:
    """Outside of packages pytest imports them by their bare names: of two, the second is an error, in a clone."""
    tests = Path(__file__).resolve().parents[1]
    paths = [path for path in tests.rglob("*.py") if not (path.parent / "__init__.py").exists()]
    names = [path.name for path in paths]
    assert sorted({name for name in names if names.count(name) > 1}) == []


ASKED = re.compile(
    r"from dio_mc\.engines\.(reference\.engine|choose|native\.engine|reference\.partial|agree) import [^\n]*"
    r"\b(explore|prepare|search|explore_partly|verify_reduction)\b|\bRun\(program, "
)


def test_tests_ask_the_engines_through_one_file() -> None:
    """What a search is asked with may change; then one file of the tests does."""
    others = (path for path in sorted(TESTS.rglob("*.py")) if path.name != "asking.py")
    found = {str(path.relative_to(TESTS)): asked[0] for path in others if (asked := ASKED.search(path.read_text()))}
    assert found == {}, "ask as tests/asking.py does, or through it"
