"""Kernels for tests that boot one; a test is skipped, with the reason, if there is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.machine.images import Kernel, find_kernel

ROOT = Path(__file__).resolve().parents[1]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"


def kernel(name: str) -> Kernel:
    for program in ("qemu-system-x86_64", "cc", "mkfs.ext3"):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
            pytest.skip(f"no {program} here (.ci/run installs it)")
    try:
        return find_kernel(name)
    except ModelError:
        pytest.skip(f"no kernel {name} here: tools/kernels {name} fetches it")
