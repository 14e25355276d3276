"""Compiles large modules in a separate process, because LLVM cannot be interrupted in this one.

Starting a process takes a fifth of a second, so smaller modules are compiled in this process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Final

LARGE: Final = 1_000_000
"""Characters of LLVM IR above which compilation takes about a second or more."""
_LOOK: Final = 0.05
"""Seconds between two points at which the wait can be interrupted."""


def compiled_apart(text: str, *, quick: bool) -> bytes:
    """The object code of a module. If the wait ends early (`guard.Ended`, Ctrl-C), the process is
    killed. Raises `MemoryError` if the process fails, which is taken for a lack of memory."""
    search_path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as code:
        source.write(text.encode())
        source.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, "quick" if quick else "optimised"],
            stdin=source, stdout=code, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, **search_path},
        )  # fmt: skip
        try:
            while process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_LOOK)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        code.seek(0)
        found = code.read()
    if process.returncode != 0 or not found:
        raise MemoryError("the compiler had no memory left")
    return found


def main() -> None:
    """Compile LLVM IR from stdin to object code on stdout."""
    from dio_mc.engines.native.machine import object_code

    text = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(object_code(text, quick=sys.argv[1] == "quick"))


if __name__ == "__main__":
    main()
