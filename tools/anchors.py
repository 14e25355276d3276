"""The kernels that have the functions which the shipped models name: writes
tests/models/anchors.tsv.

    python tools/anchors.py FOLDER

`FOLDER` has a source tree per version (``6.12``, ``2.6.18``); of a tree at least fs, mm, block,
kernel, lib and include/linux. Debian's packages linux-source-VERSION have such trees, and so has
any checkout. Entries for versions that are not in the folder are kept, so one tree is enough to add
a kernel.

A function is in a version if its file defines it with a body; functions defined by macros are not
found.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from dio_mc.ir.anchor import parse_anchor, parse_version

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "models" / "anchors.tsv"
FOLDERS = ("models", "dio_mc/kernel", "dio_mc/first")


def main(folder: Path) -> None:
    """Write the table."""
    versions, rows = read_table()
    trees = {tree.name: tree for tree in folder.iterdir() if tree.is_dir()}
    versions = sorted({*versions, *trees}, key=parse_version)
    names = sorted({parse_anchor(text).name for path in model_files() for text in anchors_in(path)})
    lines = ["anchor\t" + " ".join(versions)]
    for name in names:
        file, _, function = name.rpartition(":")
        known = rows.get(name, set())
        has = {v for v in versions if (defines(trees[v] / file, function) if v in trees else v in known)}
        lines.append(name + "\t" + "".join("x" if v in has else "." for v in versions))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TABLE.relative_to(ROOT)}: {len(names)} functions, {len(versions)} kernels")


def read_table(path: Path = TABLE) -> tuple[list[str], dict[str, set[str]]]:
    """The versions, and for each function the versions that have it."""
    if not path.exists():
        return [], {}
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    versions = head.split("\t")[1].split()
    rows = dict(line.split("\t", 1) for line in lines)
    return versions, {
        name: {v for v, mark in zip(versions, marks, strict=True) if mark == "x"} for name, marks in rows.items()
    }


def model_files() -> list[Path]:
    """All files that may name anchors."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def anchors_in(path: Path) -> list[str]:
    """The anchors in a file: ``kernel="..."`` of decorators, and the values of `anchors` in class
    bodies."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "operation":
            found += [k.value for k in node.keywords if k.arg == "kernel"]
        elif isinstance(node, ast.ClassDef):
            assigned = [s for s in node.body if isinstance(s, ast.Assign)]
            given = [s.value for s in assigned if "anchors" in map(ast.unparse, s.targets)]
            found += [value for d in given if isinstance(d, ast.Dict) for value in d.values]
    return [str(e.value) for e in found if isinstance(e, ast.Constant)]


def defines(file: Path, function: str) -> bool:
    """Whether a C file defines the function with a body: its name and a parenthesis in a line that
    is not indented, and a brace before a semicolon."""
    if not file.is_file():
        return False
    text = file.read_text(encoding="utf-8", errors="replace")
    for found in re.finditer(rf"^(?:[A-Za-z_][^\n;{{}}()=]*?[\s*])?{function}\s*\(", text, re.MULTILINE):
        rest = re.sub(r"/\*.*?\*/", "", text[found.end() : found.end() + 2000], flags=re.DOTALL)
        if 0 <= rest.find("{") < (rest.find(";") if ";" in rest else len(rest)):
            return True
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
