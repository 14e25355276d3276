"""Searches on a Ray cluster of this machine; and what is said where there is none."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from several import Turning, asked

from dio_mc.engines.choose import Run, Strategy
from dio_mc.engines.cluster import search
from dio_mc.engines.cluster.bridge import RayParts
from dio_mc.engines.cluster.messages import Refused
from dio_mc.engines.cluster.speaking import Speaking
from dio_mc.engines.cluster.version import this_version
from dio_mc.errors import ModelError
from dio_mc.frontend import build
from dio_mc.semantics.search import OnRay

ROOT = Path(__file__).resolve().parents[3]
MODEL = "models/toys/philosophers.py"
WITHOUT = "import importlib.util; importlib.util.find_spec = lambda name: None"
WITH = "import importlib.util; importlib.util.find_spec = lambda name: name"
DIVIDED = "from dio_mc.engines import choose; choose.FULL = choose.SOON = 0"
START = "import ray; ray.init('local', num_cpus=1, include_dashboard=False, object_store_memory=100 << 20)"


@pytest.fixture(scope="module")
def ray_starts() -> None:
    """Skips where Ray is not installed, or does not start by itself, as on a machine without shared memory."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("needs Ray: pip install 'dio-mc[cluster]'")
    try:
        call = [sys.executable, "-c", START]
        started = subprocess.run(call, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("Ray does not start here within two minutes")
    if started.returncode != 0:
        pytest.skip(f"Ray does not start here: {started.stderr.strip().splitlines()[-1:]}")


def command(before: str, *words: str) -> subprocess.CompletedProcess[str]:
    """``dio-mc check``, after something was changed."""
    code = f"{before}; from dio_mc.cli import main; main()"
    call = [sys.executable, "-c", code, "check", "--no-artifacts", *words]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("ray_starts")
def test_a_worker_that_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    """Its level is done again, and nothing of Ray is printed."""
    program, killed = build(Turning).program, []

    def find_next(self: search.ClusterSearch, depth: int) -> None:
        if depth in (3, 9) and depth not in killed:
            killed.append(depth)
            (process,) = self._answers(self._cluster.ask(1, "ask", "process"), int)
            os.kill(process, signal.SIGKILL)
        whole(self, depth)

    whole = search.ClusterSearch._find_next
    monkeypatch.setattr(search.ClusterSearch, "_find_next", find_next)
    before = signal.getsignal(signal.SIGTERM)
    strategy = Strategy("native", disk=tmp_path, ray=OnRay(None, 2))
    found = Run(asked(program)).explore(strategy, full=0)
    assert found == Run(asked(program)).explore(Strategy("native"), full=0)
    assert killed == [3, 9]
    assert signal.getsignal(signal.SIGTERM) is before
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("ray_starts")
def test_the_command_says_the_same() -> None:
    options = ["--param", "n=3", "--engine", "native", "--model", "Philosophers", MODEL]
    alone, divided = command(DIVIDED, *options), command(DIVIDED, *options, "--ray", "--workers", "2")
    assert divided.returncode == alone.returncode
    assert "VIOLATED" in alone.stdout
    assert (divided.stdout, divided.stderr) == (alone.stdout, alone.stderr)


def test_without_ray() -> None:
    for words in (["--ray"], ["--ray", "10.0.0.1:6379"]):
        found = command(WITHOUT, MODEL, *words)
        assert (found.returncode, found.stdout) == (2, "")
        assert found.stderr == (
            "dio-mc: error DIO225: --ray needs Ray, which is not installed\n  hint: pip install 'dio-mc[cluster]'\n"
        )


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"  # nobody listens
        found = command(WITH, MODEL, "--ray", address)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        f"dio-mc: error DIO226: no connection to {address}: Connection refused\n"
        "  hint: --ray without an address starts a cluster on this machine; `ray start --head` prints the address of one\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ray", "10.0.0.1", MODEL], "dio-mc: error DIO212: --ray 10.0.0.1 is not HOST:PORT, auto or local\n"),
        (["--ray=/tmp/x:1", MODEL], "dio-mc: error DIO212: --ray /tmp/x:1 is not HOST:PORT, auto or local\n"),
        ([MODEL, "--ray", "--resume"], "Error: --resume continues a search on one machine: not with --ray.\n"),
        ([MODEL, "--ray", "--simulate", "3"], "Error: --ray finds all states: not with --simulate.\n"),
    ],
)
def test_options_that_do_not_go_together(words: list[str], message: str) -> None:
    found = command(WITH, *words)
    assert found.returncode == 2
    assert found.stderr.endswith(message)


def test_a_path_after_ray_is_a_path() -> None:
    plain, found = command(WITH, MODEL), command(WITH, "--ray", MODEL)
    assert (found.returncode, found.stdout) == (plain.returncode, plain.stdout)


class Machines:
    """Of Ray, what is asked to find out which dio-mc each machine has: its answers are `versions`."""

    def __init__(self, versions: dict[str, object]) -> None:
        self._versions = versions

    def nodes(self) -> list[dict[str, object]]:
        return [
            {"Alive": name != "gone", "Resources": {"CPU": 1.0}, "NodeID": name, "NodeManagerHostname": name}
            for name in self._versions
        ]

    def remote(self, probe: object) -> Machines:
        return self

    def options(self, *, num_cpus: int, scheduling_strategy: str) -> SimpleNamespace:
        return SimpleNamespace(remote=lambda: scheduling_strategy)

    def get(self, name: str, timeout: float) -> object:
        found = self._versions[name]
        if isinstance(found, Exception):
            raise found
        return found


OURS = this_version()


@pytest.mark.parametrize(
    ("versions", "wrong"),
    [
        ({"one": OURS, "two": OURS, "gone": "no dio-mc"}, None),
        ({"one": OURS, "two": "dio-mc 0.0.9"}, f"two has dio-mc 0.0.9, this machine {OURS}"),
        ({"one": "no dio-mc"}, f"one has no dio-mc, this machine {OURS}"),
        ({"one": OURS, "two": OSError("late\nmore")}, f"two has no answer (late), this machine {OURS}"),
    ],
)
def test_machines_with_another_dio_mc(
    monkeypatch: pytest.MonkeyPatch, versions: dict[str, object], wrong: str | None
) -> None:
    strategies = SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: node)
    monkeypatch.setitem(sys.modules, "ray", Machines(versions))
    monkeypatch.setitem(sys.modules, "ray.util", SimpleNamespace(scheduling_strategies=strategies))
    monkeypatch.setitem(sys.modules, "ray.util.scheduling_strategies", strategies)
    assert Speaking()._wrong_version() == wrong


def test_another_dio_mc_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = object.__new__(RayParts)
    parts._amid, parts._pipe = False, SimpleNamespace(
        send=lambda told: None, poll=lambda patience: True, recv=lambda: Refused("DIO227", "two has no dio-mc")
    )  # fmt: skip
    with pytest.raises(ModelError) as error:
        parts._open(OnRay("head:6379"), lambda: None)
    assert str(error.value) == (
        "dio-mc: error DIO227: the cluster at head:6379: two has no dio-mc\n"
        "  hint: install the same dio-mc on all machines"
    )


def test_which_dio_mc_this_is() -> None:
    assert this_version().startswith("dio-mc 0.1.0 (")
