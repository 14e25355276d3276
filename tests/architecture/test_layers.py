"""Who may import whom. The table is the architecture; a new arrow is a decision and is made here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dio_mc"
EVERYONE = {"source", "errors", "__version__"}
ENGINE = {"passes", "semantics", "trace", "ir"}
LAYERS: dict[str, set[str]] = {
    "source": set(),
    "errors": set(),
    "memory": set(),
    "catalogue": set(),
    "ir": set(),
    "lang": {"ir"},
    "frontend": {"lang", "ir"},
    "passes": {"ir"},
    "semantics": {"ir"},
    "trace": {"semantics", "ir"},
    "symbolic": ENGINE,
    "analysis": {"semantics", "ir"},
    "reduce": {"analysis", "passes", "semantics", "ir"},
    "explore": {"memory", *ENGINE},
    "native": {"analysis", "memory", "reduce", *ENGINE},
    "engines": {"analysis", "explore", "native", "reduce", *ENGINE},
    "verifying": {"engines", "explore", "reduce", *ENGINE},
    "why": {"explore", *ENGINE},
    "space": {"semantics", "trace", "ir"},
    "render": {"trace", "ir"},
    "page": {"render", "trace"},
    "browse": {"page", "render", "report", "trace"},
    "kernel": {"lang"},
    "export": {"semantics", "ir"},
    "mutation": {"frontend", "lang", "semantics", "ir"},
    "findings": {"frontend", "lang", "semantics", "ir"},
    "driver": {"findings", "engines", "frontend", "lang", "symbolic", "verifying", "witness", *ENGINE},
    "witness": {"symbolic", "why", *ENGINE},
    "replaying": {"frontend", "lang", "symbolic", "why", *ENGINE},
    "config": set(),
    "study": {"frontend", "lang", "kernel", "explore", "render", *ENGINE},
    "report": {"catalogue", "driver", "mutation", "page", "render", "semantics", "trace", "ir"},
    "runs": {"driver", "explore", "frontend", "lang", "memory", "mutation", "report", "semantics", "trace", "ir"},
}
"""Layer -> the layers it may import besides itself, `source` and `errors`."""
FACES = {"cli", "cli_show", "pytest_plugin", "__main__", "__init__"}
"""May import everything; nobody imports them (`__init__` only for the version and the language)."""
SHOWN: dict[str, set[str]] = {"trace/trace.py": {"render"}, "driver.py": {"report"}}
"""The only arrows upwards: traces and reports show themselves in a notebook. They are taken inside a method."""
HEAVY = {
    "z3": {"symbolic"},
    "networkx": {"trace", "space"},
    "llvmlite": {"native"},
    "click": {"cli", "cli_show"},
    "pytest": {"pytest_plugin"},
}
"""Third-party packages and the only layers that may name them."""


def layer_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports_of(path: Path, nodes: Iterable[ast.AST] | None = None) -> set[str]:
    """The imports among `nodes`; without, all of the file."""
    found: set[str] = set()
    for node in nodes or ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "dio_mc" else {node.module}
            )
    return found


def layers_in(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("dio_mc.")}


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    layer = layer_of(path)
    if layer in FACES:
        return
    upwards = SHOWN.get(str(path.relative_to(PACKAGE)), set())
    assert layers_in(imports_of(path, ast.parse(path.read_text()).body)) & upwards == set()
    allowed = LAYERS[layer] | EVERYONE | {layer} | upwards
    assert layers_in(imports_of(path)) - allowed == set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_named_in_one_layer(path: Path) -> None:
    for name in imports_of(path):
        owners = HEAVY.get(name.split(".")[0])
        assert owners is None or layer_of(path) in owners, name


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(out.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import dio_mc") & {"z3", "networkx", "click", "dio_mc.frontend", "dio_mc.driver"} == set()
    assert loaded_by("from dio_mc import Model") & {"z3", "networkx", "click", "dio_mc.frontend"} == set()


def test_the_command_line_loads_click_alone() -> None:
    loaded = loaded_by("import dio_mc.cli")
    assert "click" in loaded
    ours = {m for m in loaded if m.startswith("dio_mc.")}
    assert {m for m in ours if not m.startswith("dio_mc.cli.")} == {"dio_mc.cli", "dio_mc.cli_show"}
    assert loaded & {"z3", "networkx"} == set()
