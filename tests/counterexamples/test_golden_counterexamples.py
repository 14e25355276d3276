"""`counterexamples/` is what a check of the shipped models writes, to the byte, and every file in it replays.

``pytest tests/counterexamples --update-golden`` writes it anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "counterexamples"
SHOWN = ["models/seed", "models/toys"]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    command = [sys.executable, "-m", "dio_mc", "check", *SHOWN, "--counterexamples", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    return folder


@pytest.mark.slow
def test_the_golden_folder_is_up_to_date(written: Path, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        shutil.rmtree(GALLERY, ignore_errors=True)
        shutil.copytree(written, GALLERY)
    assert files(GALLERY) == files(written)


def test_every_counterexample_replays() -> None:
    from dio_mc.explain.replaying import replay_file

    before = Path.cwd()
    os.chdir(ROOT)
    try:
        outcomes = [replay_file(str(path)) for path in sorted(GALLERY.rglob("*.json"))]
    finally:
        os.chdir(before)
    assert outcomes
    assert [o.text for o in outcomes if not o.reproduces] == []
