"""A process that has dio-mc loaded and forks a command whenever it is asked to: ``python forking.py``.

Each line of stdin is a case: ``[folder, place, name, after, limit, arguments]``. In the command, the function `name` of
`place` (a module, or ``module:Class``) does not end, from its call number `after` on; it touches ``here`` in the folder
first. Then time is up, or memory is used up, if that is the limit: the clock is set on, and what is held is said to be
more. So nothing is waited for. Answers are the pid, then the exit code; output goes to ``out`` and ``err`` there. A
command that has not ended after `PATIENCE` seconds says where it is (faulthandler), and ends. Nothing outlives its parent.
"""

import faulthandler
import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dio_mc.guard

sys.path[0] = str(Path(__file__).resolve().parents[1])
from forked import die_with_the_parent, load_everything  # noqa: E402  # beside this folder

dio_mc.guard.GRACE = 0.1  # type: ignore[misc]  # before anybody has taken it from there
PATIENCE = 120


def endless(usual: Callable[..., Any], after: int, limit: str) -> Callable[..., Any]:
    calls = []

    def function(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) <= after:
            return usual(*arguments, **named)
        limits: Any = importlib.import_module("dio_mc.engines.limits")
        Path("here").touch()
        if limit == "timeout":
            now = limits._now
            limits._now = lambda: now() + 1e6
        if limit == "memory":
            limits.resident_bytes = lambda: 1 << 50
        while True:
            pass

    return function


def command(folder: str, place: str, name: str, after: int, limit: str, arguments: list[str]) -> None:
    os.chdir(folder)
    for number, file in ((0, os.devnull), (1, "out"), (2, "err")):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), number)
    die_with_the_parent()
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    module, _, path = place.partition(":")
    owner = importlib.import_module(module)
    for part in filter(None, path.split(".")):
        owner = getattr(owner, part)
    setattr(owner, name, endless(getattr(owner, name), after, limit))
    sys.argv = ["dio-mc", *arguments]
    importlib.import_module("dio_mc.cli").main()


def serve() -> None:
    die_with_the_parent()
    load_everything()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code: Any = 99
            try:
                command(*json.loads(line))
            except SystemExit as ended:
                code = ended.code or 0
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
