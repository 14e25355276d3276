"""Every shipped model through SPIN and Rumur: ``python benchmarks/exports.py [--only WORD]
[--changed] [--write F]``.

Each class with each of its bindings, and each workload under each rule, is explored by the
reference interpreter and exported; the other checkers must store exactly as many states and find
the same properties violated. A difference is printed and makes the exit code 1. It takes about a
second of C compiler for each program and checker.

SPIN continues after errors, so it finds all violated properties, without reduction and with its
partial order reduction (which finds nothing to reduce, since a file has one process). Rumur does
not expand a state that violates a property: its states are counted without the properties, and its
verdict is that of the first error. The files have no scalarsets, so it has no symmetry to use.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from dio_mc.checking.expectations import bindings_of
from dio_mc.engines.reference.engine import explore
from dio_mc.export.murphi import murphi
from dio_mc.export.promela import promela
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import SearchRequest
from dio_mc.study.registry import open_registry, product
from dio_mc.symbolic.evaluator import property_evaluator

ROOT = Path(__file__).resolve().parents[1]
OF_RUNS = ("reachable", "progress", "always_reachable")
"""Kinds of properties that no single state or step violates."""
QUICK = ("tcc",) if shutil.which("tcc") else ("gcc", "-O0")
"""Compiler flags for SPIN's checkers, which run for milliseconds."""
MARK = re.compile(r'^(invariant|cover) ".*\n|^  assert ".*\n', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a checker: the number of states stored, and the properties violated."""

    states: int
    violated: frozenset[str]


@dataclass(frozen=True, slots=True)
class Row:
    """The results for a program: of the reference interpreter, of SPIN without and with reduction,
    of Rumur."""

    where: str
    program: str
    reference: Answer
    spin: Answer
    reduced: Answer
    rumur: Answer

    @property
    def differences(self) -> list[str]:
        """The differences from the reference, in words; empty if all agree."""
        wrong, found = self.reference.violated, []
        if self.spin != self.reference:
            found.append(f"SPIN: {self.spin.states} states, {shown(self.spin.violated)}")
        if self.reduced.violated != wrong:
            found.append(f"SPIN, reduced: {shown(self.reduced.violated)}")
        if self.rumur.states != self.reference.states:
            found.append(f"Rumur: {self.rumur.states} states")
        if not (self.rumur.violated <= wrong and bool(self.rumur.violated) == bool(wrong)):
            found.append(f"Rumur: {shown(self.rumur.violated)}")
        return found


def shown(names: frozenset[str]) -> str:
    """Properties in a row of the table."""
    return ", ".join(sorted(names)) or "-"


def shipped() -> Iterator[tuple[str, Program]]:
    """Every program of `models/`, with its origin."""
    yield from classes()
    yield from products()


def classes() -> Iterator[tuple[str, Program]]:
    """Every class with each of its bindings, by file."""
    for path in sorted((ROOT / "models").rglob("*.py")):
        for model in load_module(path, allow_empty=True).models:
            for params, _ in bindings_of(model, {}):
                yield str(path.relative_to(ROOT / "models")), build(model, params).program


def products(wanted: Container[str] | None = None) -> Iterator[tuple[str, Program]]:
    """Every workload under each rule, by ``workload x rule``, or those that are `wanted`: with the
    first layout of its file, since layouts differ only in initial values."""
    registry = open_registry(ROOT / "models")
    for rule in registry.rules.values():
        for workload in registry.workloads.values():
            name = f"{workload.name} x {rule.name}"
            if wanted is not None and name not in wanted:
                continue
            for program in islice(product(workload, rule).values(), 1):
                yield name, program


def count_of_products() -> int:
    """The number of products, without building them."""
    registry = open_registry(ROOT / "models")
    pairs = ((workload, rule) for rule in registry.rules.values() for workload in registry.workloads.values())
    return sum(not set(workload.layouts).isdisjoint(rule.layouts) for workload, rule in pairs)


def reference(program: Program) -> Answer:
    """The result of the interpreter, which is the reference: properties that single states and
    steps can violate."""
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    found = explore(SearchRequest(program, evaluators))
    assert found.complete, program.name
    beyond = {one.name for one in program.properties if one.kind in OF_RUNS}
    return Answer(found.states, frozenset(v.property for v in found.violations) - beyond)


def spin(program: Program, folder: Path, *, reduced: bool = False) -> Answer:
    """The result of SPIN, continuing after every error."""
    (folder / "m.pml").write_text(promela(program), encoding="utf-8")
    ran(folder, "spin", "-o2", "-a", "m.pml")
    flags = ["-DSAFETY", "-DPRINTF", *([] if reduced else ["-DNOREDUCE"])]
    ran(folder, *QUICK, "-w", *flags, "-o", "pan", "pan.c")
    out = ran(folder, "./pan", "-c0", "-m100000", "-w20")
    assert "max search depth too small" not in out, program.name
    several = len(list(islice(Interpreter(program).starting(), 2))) > 1
    violated = {*re.findall(r"^violated: (.*)$", out, re.MULTILINE)}
    violated |= {"deadlock"} if re.search(r"^pan:\d+: invalid end state", out, re.MULTILINE) else set()
    assert (number(r"errors: (\d+)", out) > 0) == bool(violated), out[-2000:]
    return Answer(number(r"(\d+) states, stored", out) - several, frozenset(violated))


def rumur(program: Program, folder: Path) -> Answer:
    """The result of Rumur: the states without the properties, and the first error with them."""
    text = murphi(program)
    out = rumur_ran(text, folder)
    assert "No error found" in out or "error(s) found" in out, out[-2000:]
    found = [error_name(words) for words in re.findall(r"error trace for the error:\n\n\t(.*)", out)]
    if "No error found" not in out:
        # Errors that are left, faults and deadlock, have no successor here either.
        out = rumur_ran(MARK.sub("", text), folder, "--max-errors", "1000000")
    return Answer(number(r"(\d+) states, \d+ rules", out), frozenset(found))


def error_name(words: str) -> str:
    """The property in Rumur's message about an error."""
    if words.startswith("deadlock"):
        return "deadlock"
    tested = re.fullmatch(r'Assertion failed: \S+: (\S+)|invariant "(.*)" failed', words)
    return words.partition(": ")[0] if tested is None else tested[1] or tested[2]


def rumur_ran(text: str, folder: Path, *flags: str) -> str:
    """The output of the checker that Rumur generates from a file."""
    (folder / "m.m").write_text(text, encoding="utf-8")
    command = ("rumur", "--threads", "1", "--deadlock-detection", "stuck", "--symmetry-reduction", "off", *flags)
    ran(folder, *command, "m.m", "--output", "m.c")
    ran(folder, "gcc", "-O0", "-w", "-mcx16", "-o", "m", "m.c", "-lpthread")
    return ran(folder, "./m")


def ran(folder: Path, *command: str) -> str:
    """The output of a command."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    assert command[0].startswith("./") or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def number(pattern: str, text: str) -> int:
    """The number that a checker printed."""
    found = re.search(pattern, text)
    assert found, text[-2000:]
    return int(found[1])


def row(where: str, program: Program) -> Row:
    """One program through all checkers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return Row(
            where, program.name, reference(program), spin(program, folder), spin(program, folder, reduced=True),
            rumur(program, folder),
        )  # fmt: skip


NOT_RUN = "workloads under rules are new or have changed, and are not in the table."


def table(rows: list[Row], left_out: int = 0) -> str:
    """The page: the versions, and a line for each program; `left_out` programs are new or have
    changed, and were not run."""
    different = sum(bool(one.differences) for one in rows)
    tools = [ran(ROOT, *command).splitlines()[0] for command in (("spin", "-V"), ("rumur", "--version"))]
    lines = [
        "# Every shipped model through SPIN and Rumur", "",
        f"{date.today()}, `python benchmarks/exports.py --write benchmarks/EXPORTS.md`; {'; '.join(tools)}", "",
        f"{len(rows)} programs, {sum(one.reference.states for one in rows):,} states in all; {different} differ.", "",
        *([f"{left_out} {NOT_RUN}", ""] if left_out else []),
        *" ".join(__doc__.partition("\n\n")[2].split()).replace(". ", ".\n").splitlines(), "",
        "| from | program | states | SPIN | Rumur | violated | SPIN, reduced | Rumur's first error |",
        "|---|---|---:|---:|---:|---|---|---|",
    ]  # fmt: skip
    for one in rows:
        same = "same" if one.reduced.violated == one.spin.violated == one.reference.violated else "DIFFERENT"
        counts = f"{one.reference.states} | {one.spin.states} | {one.rumur.states}"
        verdicts = f"{shown(one.reference.violated)} | {same} | {shown(one.rumur.violated)}"
        lines.append(f"| {one.where} | {one.program} | {counts} | {verdicts} |")
    return "\n".join(lines) + "\n"


def kept(path: Path) -> dict[tuple[str, str], Row]:
    """The rows of a table that show no difference, by origin and name."""
    found: dict[tuple[str, str], Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 8 and cells[2].isdigit() and cells[6] == "same":
            violated = frozenset(cells[5].split(", ")) - {"-"}
            first = frozenset(cells[7].split(", ")) - {"-"}
            own = Answer(int(cells[2]), violated)
            by_spin, by_rumur = Answer(int(cells[3]), violated), Answer(int(cells[4]), first)
            found[cells[0], cells[1]] = Row(cells[0], cells[1], own, by_spin, by_spin, by_rumur)
    return found


def main() -> int:
    """Run what was requested; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="programs whose file or name has this word in it")
    parser.add_argument("--write", type=Path, help="write the table to this file")
    again = "run only programs whose states or violations are not those of the table; the others keep their rows"
    parser.add_argument("--changed", action="store_true", help=again)
    chosen = parser.parse_args()
    known = kept(ROOT / "benchmarks" / "EXPORTS.md") if chosen.changed else {}
    rows, left_out = [], 0
    for where, program in shipped():
        old = known.get((where, program.name))
        if old is not None and old.reference == reference(program):
            rows.append(old)
        elif chosen.only in where or chosen.only in program.name:
            rows.append(row(where, program))
            print(f"{where} {rows[-1].program}: {rows[-1].reference.states} states", flush=True)
            for difference in rows[-1].differences:
                print(f"  DIFFERENT: {shown(rows[-1].reference.violated)}, but {difference}", flush=True)
        else:
            left_out += 1
    if chosen.write is not None:
        chosen.write.write_text(table(rows, left_out), encoding="utf-8")
    different = sum(bool(one.differences) for one in rows)
    print(f"{len(rows)} programs, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
