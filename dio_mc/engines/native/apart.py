"""Large modules are compiled in a process of their own: LLVM can be waited for, but not interrupted.

Starting the process takes a fifth of a second, so what compiles faster than that is compiled here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Final

LARGE: Final = 1_000_000
"""Characters of LLVM IR: what takes more than a second or so."""
_LOOK: Final = 0.05


def compiled_apart(text: str, *, quick: bool) -> bytes:
    """The object code of a module. Whatever ends the wait (`guard.Ended`, Ctrl-C) ends the process too. Raises
    `MemoryError` where it was killed or gave nothing."""
    search_path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as code:
        source.write(text.encode())
        source.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, "quick" if quick else "optimised"],
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
    """LLVM IR from stdin to object code on stdout."""
    from dio_mc.engines.native.machine import object_code

    text = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(object_code(text, quick=sys.argv[1] == "quick"))


if __name__ == "__main__":
    main()
