"""Commands in processes of their own that have everything imported: ``python forked.py`` forks one for each line of stdin.

To start Python and to import what a command needs takes 0.3 s of processor time, a fork 0.02 s. In all else the process
is one of ``python -m dio_mc``: its arguments, folder, environment, files, signals and exit are its own. What the
interpreter reads once, when it starts, cannot be changed by a fork: with another hash seed, path or locale `run` starts a
real one. Which modules a command imports, and what it does on a terminal or a pipe, cannot be tested here either.

A line is ``[folder, environment, arguments]``; the answer is the exit code. Input and output are files in a folder that is
told before. Nothing outlives its parent.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120
"""Seconds after which a command says where it is, and ends."""
AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC")
"""How the names of variables begin that are read when Python starts."""
LEFT_OUT = ("dio_mc.__main__", "dio_mc.engines.cluster", "dio_mc.machine.inside", "dio_mc.pytest_plugin")


# -- here --------------------------------------------------------------------------------------------------------------


def at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(AT_START)}


class Forks:
    """The process that forks, started when it is first asked. One that does not answer is killed, with its command."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.at_start = at_start({**os.environ, "PYTHONPATH": str(ROOT)})
        self.folder = ""

    def run(
        self, arguments: list[str], folder: Path, environment: Mapping[str, str], text: str
    ) -> subprocess.CompletedProcess[str]:
        self.process = self.process or self._started()
        Path(self.folder, "in").write_text(text)
        try:
            code = self._ask([str(folder), dict(environment), arguments])
        except BaseException:
            self.end()
            raise
        out, err = (Path(self.folder, name).read_text() for name in ("out", "err"))
        assert "Timeout (" not in err, f"it did not end:\n{err}"
        return subprocess.CompletedProcess(["dio-mc", *arguments], code, out, err)

    def _ask(self, case: list[Any]) -> int:
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def _started(self) -> subprocess.Popen[str]:
        self.folder = tempfile.mkdtemp()
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        command, env = [sys.executable, __file__, self.folder], {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.process = None


FORKS = Forks()
atexit.register(FORKS.end)


def run(
    arguments: list[str], folder: Path, environment: Mapping[str, str], text: str = ""
) -> subprocess.CompletedProcess[str]:
    """``dio-mc arguments`` in this folder and environment, to its end; `text` is on its stdin."""
    if at_start(environment) == FORKS.at_start:
        return FORKS.run(arguments, folder, environment, text)
    command = [sys.executable, "-m", "dio_mc", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


# -- there -------------------------------------------------------------------------------------------------------------


def die_with_the_parent() -> None:
    """Where Linux runs this; elsewhere, a process that hangs is left."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG


def load_everything() -> None:
    import dio_mc

    for module in pkgutil.walk_packages(dio_mc.__path__, "dio_mc.", onerror=lambda name: None):
        if not module.name.startswith(LEFT_OUT):
            importlib.import_module(module.name)
    importlib.import_module("z3")
    gc.freeze()  # so that collections write to no page that is shared


def command(streams: str, folder: str, environment: dict[str, str], arguments: list[str]) -> None:
    os.chdir(folder)
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    for number, (name, flags) in enumerate((("in", os.O_RDONLY), ("out", writing), ("err", writing))):
        handle = os.open(f"{streams}/{name}", flags, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    die_with_the_parent()
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = os.getcwd()
    sys.argv = ["dio-mc", *arguments]
    runpy.run_module("dio_mc", run_name="__main__", alter_sys=True)


def ended(code: object) -> int:
    """The exit code, as Python makes it of what `SystemExit` has."""
    if isinstance(code, int) or code is None:
        return code or 0
    print(code, file=sys.stderr)
    return 1


def serve(streams: str) -> None:
    die_with_the_parent()
    answers = os.fdopen(os.dup(1), "w")
    load_everything()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                os.close(answers.fileno())
                command(streams, *json.loads(line))
                code = 0
            except SystemExit as exit_:
                code = ended(exit_.code)
            finally:
                with contextlib.suppress(Exception):
                    threading._shutdown()  # type: ignore[attr-defined]  # as at the end of the interpreter
                    atexit._run_exitfuncs()
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
