"""SPIN and Rumur run what is exported: exactly as many states, and the same verdicts."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dio_mc.driver import bindings_of, check_class
from dio_mc.export.murphi import murphi
from dio_mc.export.promela import promela
from dio_mc.frontend import build, load_module
from dio_mc.semantics.interpreter import Interpreter

ROOT = Path(__file__).resolve().parents[2]
ALL = bool(os.environ.get("DIO_MC_EXPORT_ALL"))
"""Every binding of every model, for the patient: each costs two runs of a C compiler."""
FEW = ("ext3_2_6_18", "placeholder", "xfs_own_locking", "peterson", "readers_writers", "r06_aio_no_late_invalidate")
FILES = [f for n in ("seed", "toys", "history") for f in sorted((ROOT / "models" / n).glob("*.py"))]
MOST = 50_000


def cases():
    for path in (f for f in FILES if ALL or f.stem in FEW):
        for model in load_module(path, allow_empty=True).models[: None if ALL else 3]:
            for number, (params, _) in enumerate(bindings_of(model, {})[: None if ALL else 1]):
                yield pytest.param(model, params, id=f"{path.stem}-{model.__name__}-{number}")


def ran(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    return done.stdout + done.stderr


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text[-2000:]
    return int(found[1])


def wrong(report) -> set[str]:
    """What a checker of single states and steps can notice."""
    beyond = {p.name for p in report.properties if p.kind in ("reachable", "progress", "always_reachable")}
    return {v.property for v in report.violations} - beyond


@pytest.mark.skipif(None in map(shutil.which, ("spin", "gcc")), reason="SPIN or gcc is not installed")
@pytest.mark.parametrize(("model", "params"), list(cases()))
def test_spin(model, params, tmp_path: Path) -> None:
    report, built = check_class(model, params), build(model, params).program
    if report.states > MOST:
        pytest.skip(f"{report.states} states")
    (tmp_path / "m.pml").write_text(promela(built))
    ran(tmp_path, "spin", "-o2", "-a", "m.pml")
    ran(tmp_path, "gcc", "-O0", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c")
    out = ran(tmp_path, "./pan", "-c0", "-m1000000")
    starts = len(Interpreter(built).initial())
    assert number(r"(\d+) states, stored", out) == report.states + (starts > 1), "one more before a choice of starts"
    assert (number(r"errors: (\d+)", out) > 0) == bool(wrong(report))


@pytest.mark.skipif(None in map(shutil.which, ("rumur", "gcc")), reason="Rumur or gcc is not installed")
@pytest.mark.parametrize(("model", "params"), list(cases()))
def test_rumur(model, params, tmp_path: Path) -> None:
    report = check_class(model, params)
    if report.states > MOST:
        pytest.skip(f"{report.states} states")
    (tmp_path / "m.m").write_text(murphi(build(model, params).program))
    ran(tmp_path, "rumur", "--deadlock-detection", "stuck", "--symmetry-reduction", "off", "m.m", "--output", "m.c")
    ran(tmp_path, "gcc", "-O0", "-w", "-mcx16", "-o", "m", "m.c", "-lpthread")
    out = ran(tmp_path, "./m")
    unseen = {p.name for p in report.properties if p.kind == "reachable" and p.verdict == "VIOLATED"}
    assert ("No error found" in out) == (not wrong(report) and not unseen), out
    if not wrong(report):
        assert number(r"(\d+) states, \d+ rules", out) == report.states
