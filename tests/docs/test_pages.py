"""The pages of `docs/`: generated ones are up to date, and every code block does what stands there.

``--update-golden`` writes what the commands print into the pages, and the generated pages.
"""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import forked
import pytest

from dio_mc import lang
from dio_mc.catalogue import PAGES as CATALOGUE
from dio_mc.choices import REPORT_FORMATS as FORMATS
from dio_mc.cli import cli
from dio_mc.config import effective
from dio_mc.frontend.load import load_module

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TOOL = runpy.run_path(str(ROOT / "tools" / "pages.py"))
WRITTEN = TOOL["PAGES_WRITTEN"]
HAND = sorted(page.name for page in DOCS.glob("*.md") if page.name not in WRITTEN)


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((DOCS / page).read_text())


# --- generated pages --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", WRITTEN)
def test_generated_pages_are_up_to_date(page: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        (DOCS / page).write_text(WRITTEN[page](), encoding="utf-8")
    assert (DOCS / page).read_text(encoding="utf-8") == WRITTEN[page](), "python tools/pages.py writes it anew"


INTERNAL = {"read_blocked", "write_blocked", "buffered_blocked", "direct_blocked", "declarations"}
"""Methods of locks and other parts that no model calls."""
PARTS = [
    cls
    for name in lang.__all__
    if isinstance(cls := getattr(lang, name), type) and issubclass(cls, lang.Part) and cls is not lang.Part
]


@pytest.mark.parametrize("part", PARTS)
def test_every_method_of_a_lock_is_in_the_pages(part: type) -> None:
    text = (DOCS / "language.md").read_text() + (DOCS / "primitives.md").read_text()
    methods = {
        name for cls in part.__mro__[:-1] if cls is not lang.Part for name, v in vars(cls).items() if callable(v)
    }
    public = {name for name in methods if not name.startswith("_")} - INTERNAL
    assert sorted(name for name in public | {part.__name__} if not re.search(rf"\b{name}\b", text)) == []


def test_every_word_of_the_language_has_a_place() -> None:
    listed = [name for _, names in TOOL["CHAPTERS"].values() for name in names]
    assert sorted(listed) == sorted(lang.__all__)


def test_every_code_is_on_the_page_of_errors() -> None:
    page = (DOCS / "errors.md").read_text()
    assert re.findall(r"^### (DIO\d+): ", page, re.MULTILINE) == list(CATALOGUE)


def test_every_page_is_in_the_navigation() -> None:
    named = re.findall(r"[\w-]+\.md", (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2])
    assert sorted(named) == sorted(page.name for page in DOCS.glob("*.md"))


# --- blocks -----------------------------------------------------------------------------------------------------------


def run(command: str, folder: Path) -> str:
    outer = {n: v for n, v in os.environ.items() if not n.startswith(("DIO_MC_", "GITHUB_"))}
    arguments = shlex.split(command.removeprefix("dio-mc "))
    done = forked.run(arguments, folder, {**outer, "PYTHONPATH": str(ROOT)})
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("page", [page for page in HAND if page not in ("tutorial.md", "language.md")])
def test_blocks(page: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Files are written and loaded, commands run (in the checkout, if the page has no files of its own), settings read,
    other commands at least understood."""
    text = (DOCS / page).read_text()
    written = False
    for kind, body in blocks(page):
        first, _, rest = body.partition("\n")
        match kind:
            case "python":
                written |= load_python(first, body, tmp_path)
            case "console":
                own = "config" in first or (written and "models/" not in first)
                found = run(first.removeprefix("$ "), tmp_path if own else ROOT)
                if request.config.getoption("--update-golden"):
                    text = text.replace(f"```console\n{body}```", f"```console\n{first}\n{found}```")
                else:
                    assert rest == found
            case "toml":
                read_settings(first, body, tmp_path)
            case "yaml":
                understand_yaml(first, body)
            case "sh":
                for line in body.splitlines():
                    understand(line)
            case _:
                assert kind == "text", kind
    if request.config.getoption("--update-golden"):
        (DOCS / page).write_text(text)


def load_python(first: str, body: str, folder: Path) -> bool:
    """A file with a name is kept for the commands after it. The rules' page is run by tests/study."""
    name = first.removeprefix("# ").strip() if first.startswith("# ") and first.endswith(".py") else ""
    source = body.partition("\n")[2] if name else body
    compile(source, name or "block", "exec")
    if name:
        (folder / name).write_text(source)
        assert load_module(folder / name).models
    return bool(name)


def read_settings(first: str, body: str, folder: Path) -> None:
    """Known keys with values that fit; pytest's are those that the plugin declares."""
    name = first.removeprefix("# ").strip()
    document = tomllib.loads(body)
    options = document.get("tool", {}).get("pytest", {}).get("ini_options", {})
    plugin = (ROOT / "dio_mc" / "pytest_plugin.py").read_text()
    assert all(f'"{option}"' in plugin for option in options)
    if name == "dio-mc.toml":
        place = folder / "settings"
        place.mkdir()
        (place / name).write_text(body)
        values = effective({}, {}, place)
        assert {key for key, value in values.items() if value.origin != "default"} == set(document)


def understand_yaml(first: str, body: str) -> None:
    yaml = pytest.importorskip("yaml", reason="not installed: pip install 'dio-mc[test]'")
    document = yaml.safe_load(body)
    match first.removeprefix("# ").strip():
        case ".github/workflows/models.yml":
            inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
            (step,) = [s for s in document["jobs"]["dio-mc"]["steps"] if "dio-mc@" in s.get("uses", "")]
            assert set(step["with"]) <= set(inputs)
            understand("dio-mc check " + " ".join(step["with"]["options"].split()))
        case ".gitlab-ci.yml":
            for line in document["dio-mc"]["script"]:
                understand(line)
        case ".pre-commit-config.yaml":
            hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
            assert [h["id"] for h in document["repos"][0]["hooks"]] == [h["id"] for h in hooks]
        case other:
            raise AssertionError(other)


def understand(line: str) -> None:
    """A command is parsed as it would be, with its options' values; nothing is run."""
    words = shlex.split(line)
    if words[0] == "dio-mc":
        command = cli.get_command(click.Context(cli), words[1])
        assert command is not None, line
        command.make_context(words[1], words[2:])
    elif words[0] == "pytest":
        options = [w for w in words if w.startswith("--")]
        assert options == ["--dio-mc"]
        assert '"--dio-mc"' in (ROOT / "dio_mc" / "pytest_plugin.py").read_text()
    elif words[0].startswith("tools/"):
        assert os.access(ROOT / words[0], os.X_OK), line
    elif words[0] == "python":
        assert (ROOT / words[1]).is_file(), line
    else:
        assert words[:2] == ["pip", "install"], line


def test_a_wrong_block_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError):
        understand("dio-mc check models --frobnicate")
    with pytest.raises(click.UsageError):
        understand("dio-mc mutate models --kind locks")
    with pytest.raises(Exception, match="unknown setting"):
        read_settings("# dio-mc.toml", "timout = 3\n", tmp_path)


# --- what tables say --------------------------------------------------------------------------------------------------


def rows(page: str, head: str) -> list[str]:
    table = (DOCS / page).read_text().partition(f"| {head} |")[2].partition("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def test_the_tables() -> None:
    from dio_mc.fix.edit import KINDS as FIX_KINDS
    from dio_mc.mutation.mutants import KINDS
    from dio_mc.report.batch import WORST

    assert sorted(rows("ci.md", "code")) == sorted(str(code) for code in WORST)
    assert f"in the order {', '.join(map(str, WORST))}" in (DOCS / "ci.md").read_text()
    assert [name for cell in rows("ci.md", "format") for name in re.findall(r"`(\w+)`", cell)] == list(FORMATS)
    assert [cell.strip("`") for cell in rows("mutation.md", "kind")] == list(KINDS)
    assert [cell.strip("`") for cell in rows("fix.md", "kind")] == list(FIX_KINDS)


# --- the language's page ----------------------------------------------------------------------------------------------

PRELUDE = """\
from enum import Enum
from z3 import Implies
from dio_mc import *

class Data(Enum):
    OLD = 0
    NEW = 1
    STALE = 2

class Block(Enum):
    HOLE = 0
    MAPPED = 1

class M(Model):
    pages = Param(1, min=1, max=2)
    seen = Array(Data, size=pages)
    block = Array(Block, size=pages)

    @thread
    def truncater(self):
        self.block[0] = Block.MAPPED

    @thread
    def setter(self):
        self.mapped(0)

    @operation()
    def mapped(self, index):
        with window("mapped"):
            self.seen[index] = Data.OLD
            self.seen[index] = Data.NEW

"""


def test_the_language_page_is_python(tmp_path: Path) -> None:
    """Its fragments are methods; in a class that has the rest they are built and checked."""
    from dio_mc.checking.driver import check_class

    fragments = [body for kind, body in blocks("language.md") if kind == "python"]
    assert fragments
    for number, body in enumerate(fragments):
        filled = re.sub(r"(def \w+\(self, \w+\)): \.\.\.", r"\1: pass", body)
        indented = "".join(f"    {line}\n" if line.strip() else "\n" for line in filled.splitlines())
        (tmp_path / f"m{number}.py").write_text(PRELUDE + indented)
        (model,) = load_module(tmp_path / f"m{number}.py").models
        assert check_class(model).complete


# --- the site ---------------------------------------------------------------------------------------------------------


def test_the_site_builds(tmp_path: Path) -> None:
    """Every link and anchor leads somewhere; no page is left out of the navigation."""
    pytest.importorskip("material", reason="mkdocs-material is not installed: pip install -e '.[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done: Any = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {p.stem for p in (tmp_path / "site").glob("*.html")}
    assert pages >= {p.stem for p in DOCS.glob("*.md")}
    index = (tmp_path / "site" / "index.html").read_text()
    assert "https://fonts." not in index
