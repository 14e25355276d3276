"""Every phase of a command obeys every limit, and loses no verdict.

A phase is made endless from outside: its function is replaced by a loop (forking.py), and a limit is met when it is
there. So what is tested is that the phase is guarded, whatever it does there. Nothing is timed: a phase that is not
guarded never ends, and the test with it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.checking.driver import check_class
from dio_mc.cli import cli
from dio_mc.frontend import load_module
from dio_mc.trace.codec import encode

ROOT = Path(__file__).resolve().parents[2]
OUTER = {n: v for n, v in os.environ.items() if not n.startswith(("DIO_MC_", "GITHUB_"))}
MODEL = """\
from dio_mc import *

class M(Model):
    n = Array(Range(0, 3), size=2)
    @thread(instances=2)
    def t(self, i):
        self.n[i] = 1
    @invariant
    def never(self):
        return self.n[0] + self.n[1] < 2
"""
BEFORE = {
    "load": ("dio_mc.checking.runs.plan", "load_module"),
    "build": ("dio_mc.checking.driver", "build"),
    "evaluators": ("dio_mc.checking.driver", "property_evaluator"),
    "symmetry": ("dio_mc.analysis.symmetry.proof", "find_symmetry"),
    "partial order": ("dio_mc.analysis.partial_order.persistent", "find_persistent_sets"),
    "code": ("dio_mc.engines.native.engine", "write_module"),
    "compile": ("dio_mc.engines.native.engine", "compile_text"),
    "initial states": ("dio_mc.semantics.interpreter:Interpreter", "_find_more"),
    "search": ("dio_mc.semantics.interpreter:Interpreter", "successors"),
}
"""Phases in which nothing is known yet."""
AFTER = {
    "canonical path": ("dio_mc.engines.reference.engine", "canonical_paths"),
    "canonical path, machine code": ("dio_mc.engines.shaping", "best_path"),
    "how properties stand": ("dio_mc.explain.witness", "standings"),
    "why": ("dio_mc.explain.witness", "why"),
    "findings": ("dio_mc.checking.driver", "static_findings"),
    "files": ("dio_mc.report.artifacts", "write_artifacts"),
    "render": ("dio_mc.cli.session", "report_text"),
}
"""Phases after a violation was found."""
NATIVE = ("code", "compile", "canonical path, machine code")
REDUCED = ("symmetry", "partial order")
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
LIMITS = ("timeout", "memory", "SIGINT", "SIGTERM")


class Commands:
    """The process that runs them. One that does not answer, or whose test is ended, is killed with its command: the
    tests after it get another."""

    process: "subprocess.Popen[str] | None" = None

    def _started(self) -> "subprocess.Popen[str]":
        here = [sys.executable, str(Path(__file__).with_name("forking.py"))]
        return subprocess.Popen(
            here, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**OUTER, "PYTHONPATH": str(ROOT)}
        )

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.process = None

    def run(
        self, folder: Path, place: str, name: str, limit: str, *arguments: str, after: int = 0
    ) -> tuple[int, str, str]:
        """A command in which this function does not end, until the limit does; exit code, stdout, stderr."""
        try:
            return self._ran(folder, place, name, limit, *arguments, after=after)
        except BaseException:
            self.end()
            raise

    def _ran(
        self, folder: Path, place: str, name: str, limit: str, *arguments: str, after: int
    ) -> tuple[int, str, str]:
        self.process = self.process or self._started()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        options = {"timeout": ["--timeout", "1000"], "memory": ["--max-memory", "100G"]}.get(limit, [])
        case = [str(folder), place, name, after, limit, [*arguments, *options]]
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        if limit in SIGNALS:
            while not (folder / "here").exists() and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] != "Z":
                time.sleep(0.005)
            os.kill(pid, getattr(signal, limit))
        code = int(self.process.stdout.readline())
        out, err = (folder / "out").read_text(), (folder / "err").read_text()
        assert "Timeout (" not in err, f"it did not end:\n{err}"
        assert (folder / "here").exists(), f"not entered: {[out, err]}"
        return code, out, err


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    commands = Commands()
    yield commands
    commands.end()


def scripted(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a program that patches dio-mc and then calls it."""
    env = {**OUTER, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def words(limit: str) -> str:
    return {"timeout": "--timeout 1000", "memory": "--max-memory 100G", "SIGINT": "Ctrl-C"}.get(limit, limit)


def options_for(phase: str) -> list[str]:
    if phase in NATIVE:
        return ["--engine", "native"]
    return ["--engine", "reference", *(["--partial-order"] if phase == "partial order" else [])]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", BEFORE)
def test_before_anything_is_found(commands: Commands, tmp_path: Path, phase: str, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    code, out, err = commands.run(tmp_path, *BEFORE[phase], limit, "check", "m.py", *options_for(phase))
    assert code == 3, out + err
    assert words(limit) in out + err
    assert "Traceback" not in err
    assert phase == "load" or "UNDETERMINED" in out


def test_a_hangup_is_a_signal_as_well(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    code, out, err = commands.run(tmp_path, *BEFORE["search"], "SIGHUP", "check", "m.py", "--engine", "reference")
    assert code == 3, err
    assert "SIGHUP" in out


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", AFTER)
def test_a_violation_stays(commands: Commands, tmp_path: Path, phase: str, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    code, out, err = commands.run(tmp_path, *AFTER[phase], limit, "check", "m.py", *options_for(phase))
    assert code == 1, out + err
    assert "VIOLATED never" in out
    assert "Traceback" not in err


STUDY = {
    "build": ("dio_mc.study.outcomes", "products"),
    "search": ("dio_mc.engines.reference.sweep:Sweep", "_expand"),
    "what goes on for ever": ("dio_mc.study.observe:Observed", "_note_endless"),
}
RULES = ("generic_2005", "ext3_2_6_18")
ROUND = "aio_write"
"""Two of these have steps that lead back to earlier states, under the first rule and in a preallocated file."""


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", STUDY)
def test_a_matrix_is_written_with_what_is_done(commands: Commands, tmp_path: Path, phase: str, limit: str) -> None:
    operation = ROUND if phase == "what goes on for ever" else "direct_read"
    arguments = ("matrix", "--no-cache", "--rule", "generic_2005", "--operation", operation, "--format", "json")
    code, out, err = commands.run(tmp_path, *STUDY[phase], limit, *arguments)
    assert code == 3, err
    assert '"undetermined"' in out


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", ["_establish", "_explore"])
def test_a_cell_stays_when_its_proof_for_any_number_is_ended(
    commands: Commands, tmp_path: Path, phase: str, limit: str
) -> None:
    arguments = ("matrix", "--any", "--rule", "ext4_today", "--operation", "read", "--format", "json")
    code, out, err = commands.run(tmp_path, "dio_mc.checking.runs.general_cells", phase, limit, *arguments)
    assert code == 3, out + err
    (cell,) = json.loads(out)["cells"]
    assert (cell["verdict"], "holds" in str(cell.get("any"))) == ("ok", False)
    assert "Traceback" not in err


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", STUDY)
def test_outcomes_are_written_as_far_as_they_are_known(
    commands: Commands, tmp_path: Path, phase: str, limit: str
) -> None:
    workload = f"{ROUND},{ROUND}" if phase == "what goes on for ever" else "direct_read,direct_write"
    arguments = ("outcomes", workload, "--rule", RULES[0], "--rule", RULES[1], "--format", "json")
    after = {"build": 1, "search": 200, "what goes on for ever": 0}[phase]
    code, out, err = commands.run(tmp_path, *STUDY[phase], limit, *arguments, after=after)
    runs = json.loads(out)["runs"]
    assert code == 3, err
    assert [run["rule"] for run in runs] == [RULES[0]] * 3 + [RULES[1]] * 2
    assert (runs[0]["complete"], runs[0]["verdict"]) == (True, "ok")
    assert (runs[-1]["complete"], runs[-1]["verdict"], runs[-1]["states"]) == (False, "undetermined", 0)


@pytest.mark.parametrize("limit", LIMITS)
def test_an_outcome_stays_without_its_run(commands: Commands, tmp_path: Path, limit: str) -> None:
    arguments = ("outcomes", "direct_read,mmap_store", "--rule", RULES[1], "--format", "json")
    code, out, err = commands.run(tmp_path, "dio_mc.study.observe", "canonical_paths", limit, *arguments)
    assert code == 3
    assert f"note: a run is left out: {words(limit)}\n" in err
    runs = json.loads(out)["runs"]
    assert [(run["complete"], run["verdict"]) for run in runs] == [(True, "exposed"), (False, "undetermined")]
    assert all(outcome["steps"] is None for run in runs for outcome in run["outcomes"])


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", STUDY)
def test_a_difference_says_what_was_compared(commands: Commands, tmp_path: Path, phase: str, limit: str) -> None:
    """One workload of two; what only one search has found is not a change where the other one is not complete."""
    second = f"{ROUND},{ROUND}" if phase == "what goes on for ever" else "direct_read,mmap_store"
    arguments = ("diff", *reversed(RULES), "direct_read,direct_read", second, "--format", "json")
    after = {"build": 2, "search": 600, "what goes on for ever": 0}[phase]
    code, out, err = commands.run(tmp_path, *STUDY[phase], limit, *arguments, after=after)
    told = json.loads(out)
    assert (code, told["complete"]) == (3, False), err
    assert (told["groups"], told["compared"]) == ((2, 3) if phase == "what goes on for ever" else (1, 2))
    assert told["changes"] == []


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(
    ("place", "name", "arguments"),
    [
        ("dio_mc.frontend", "load_module", ("export", "m.py", "--to", "promela", "-o", "m.pml")),
        ("dio_mc.frontend", "build", ("export", "m.py", "--to", "promela", "-o", "m.pml")),
        ("dio_mc.export.promela", "promela", ("export", "m.py", "--to", "promela", "-o", "m.pml")),
        ("dio_mc.study.registry", "open_registry", ("outcomes", "direct_read,direct_write", "--rule", "generic_2005")),
        ("dio_mc.study.registry", "open_registry", ("matrix", "--rule", "generic_2005")),
        ("dio_mc.study.registry", "open_registry", ("diff", "generic_2005", "generic_2005")),
    ],
)
def test_nothing_is_written_where_no_part_is_worth_anything(
    commands: Commands, tmp_path: Path, place: str, name: str, arguments: tuple[str, ...], limit: str
) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    code, out, err = commands.run(tmp_path, place, name, limit, *arguments)
    said = "interrupted" if limit in SIGNALS else f"stopped by {words(limit)}, before there was anything to write"
    assert (code, out, err.strip()) == (3, "", f"dio-mc: {said}")
    assert not (tmp_path / "m.pml").exists()


PROVED = """\
from dio_mc import *

class P(Model):
    inside = Var(Range(0, 1))
    lock = Mutex()
    @thread
    def t(self):
        self.lock.lock()
        self.inside = 1
        self.inside = 0
        self.lock.unlock()
    @invariant
    def free(self):
        return self.lock.is_locked() or self.inside == 0
"""
WRITES, ANSWERS = "before there was anything to write", "before the answer"
REPLAYS = "before it was known whether it reproduces"
OTHERS = {
    "anchors, rules": (
        "dio_mc.study.registry",
        "open_registry",
        ("anchors", RULES[0], "--kernel", "System.map"),
        WRITES,
    ),
    "anchors, load": ("dio_mc.frontend", "load_module", ("anchors", "m.py", "--kernel", "System.map"), WRITES),
    "anchors, symbols": ("dio_mc.study.anchors", "read_symbols", ("anchors", "m.py", "--kernel", "System.map"), WRITES),
    "anchors, guest": ("dio_mc.machine.symbols", "symbols_of", ("anchors", "m.py", "--kernel", "vmlinuz"), WRITES),
    "browse, folder": ("dio_mc.html.folder", "scan", ("browse", ".", "--no-open"), "before the folder was read"),
    "browse, pages": (
        "dio_mc.html.pages",
        "write_pages",
        ("browse", ".", "--write", "w"),
        "before all pages were written",
    ),
    "browse, other ways": (
        "dio_mc.cli.exploring:Models",
        "__call__",
        ("browse", ".", "--write", "w", "--explore", "m.py"),
        "before all pages were written",
    ),
    "confirm, read": (
        "dio_mc.cli.show",
        "read",
        ("confirm", "t.json", "--kernel", "vmlinuz"),
        "before the traces were read",
    ),
    "observe, rules": (
        "dio_mc.study.registry",
        "open_registry",
        ("observe", "direct_read,direct_write", "--kernel", "vmlinuz", "--fs", "ext4"),
        "before the rules were read",
    ),
    "ir, load": ("dio_mc.frontend", "load_module", ("ir", "m.py"), WRITES),
    "ir, build": ("dio_mc.frontend", "build", ("ir", "m.py"), WRITES),
    "ir, render": ("dio_mc.ir.printer", "print_program", ("ir", "m.py"), WRITES),
    "graph, load": ("dio_mc.frontend", "load_module", ("graph", "m.py"), WRITES),
    "graph, build": ("dio_mc.frontend", "build", ("graph", "m.py"), WRITES),
    "graph, search": ("dio_mc.semantics.interpreter:Interpreter", "successors", ("graph", "m.py"), WRITES),
    "graph, render": ("dio_mc.study.state_graph", "written", ("graph", "m.py"), WRITES),
    "show, read": ("dio_mc.trace.codec", "read_trace", ("show", "t.json"), WRITES),
    "show, render": ("dio_mc.render.text", "render_text", ("show", "t.json"), WRITES),
    "show, page": ("dio_mc.html.trace_page", "trace_page", ("show", "t.json", "--format", "html"), WRITES),
    "replay, read": ("dio_mc.explain.replaying", "read_trace", ("replay", "t.json"), REPLAYS),
    "replay, load": ("dio_mc.explain.replaying", "load_module", ("replay", "t.json"), REPLAYS),
    "replay, build": ("dio_mc.explain.replaying", "build", ("replay", "t.json"), REPLAYS),
    "replay, run": ("dio_mc.explain.replaying", "replay", ("replay", "t.json"), REPLAYS),
    "why, read": ("dio_mc.explain.replaying", "read_trace", ("why", "t.json"), "before the trace was read"),
    "certify, load": ("dio_mc.cli.certify", "load_module", ("certify", "c.json", "p.py"), ANSWERS),
    "certify, build": ("dio_mc.checking.general", "ground", ("certify", "c.json", "p.py"), ANSWERS),
    "fix, load": ("dio_mc.checking.runs.fix", "load_module", ("fix", "m.py"), "before the model was read"),
    "mutate, rules": (
        "dio_mc.checking.runs.matrix",
        "opened",
        ("mutate", "--rule", RULES[0]),
        "before the rules were loaded",
    ),
    "mutate, load": ("dio_mc.checking.runs.plan", "load_module", ("mutate", "m.py"), "before the models were loaded"),
    "step, build": ("dio_mc.frontend", "build", ("step", "m.py", "t[0] *"), "before the model was read"),
    "step, evaluators": (
        "dio_mc.symbolic.evaluator",
        "property_evaluator",
        ("step", "m.py", "t[0] *"),
        "before the model was read",
    ),
}
"""Phases of further commands, and what is not there when they end."""


IMAGE = bytes(0x202) + b"HdrS" + bytes(8) + (0x100).to_bytes(2, "little") + bytes(0xF0) + b"6.12.1-x\0"
"""As much of a kernel as is read before it is booted: the place of its release, and that."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, a counterexample of it, and a certificate."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "m.py").write_text(MODEL)
    (folder / "t.json").write_text(encode(check_class(load_module(folder / "m.py").models[0]).traces[0]))
    (folder / "p.py").write_text(PROVED)
    (folder / "System.map").write_text("ffffffff81000000 T filemap_fault\n")
    (folder / "vmlinuz").write_bytes(IMAGE)
    arguments = ["check", str(folder / "p.py"), "--any", "t", "--no-artifacts", "--certificate", str(folder / "c.json")]
    CliRunner().invoke(cli, arguments, catch_exceptions=False)
    return folder


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", OTHERS)
def test_other_commands(commands: Commands, written: Path, tmp_path: Path, phase: str, limit: str) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    place, name, arguments, before = OTHERS[phase]
    code, out, err = commands.run(tmp_path, place, name, limit, *arguments)
    said = "interrupted" if limit in SIGNALS else f"stopped by {words(limit)}, {before}"
    if limit in SIGNALS and arguments[0] in ("certify", "fix", "mutate"):
        said = f"stopped by {words(limit)}, {before}"
    assert (code, out, err.strip()) == (3, "", f"dio-mc: {said}")


SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
ON_GUESTS = {
    "confirm": (
        "dio_mc.machine.confirm", "confirm",
        ("confirm", str(SEED), "--model-file", str(ROOT / "models" / "seed" / "ext3_2_6_18.py")),
        "; what is shown was finished before",
    ),
    "observe": (
        "dio_mc.machine.observe", "observe", ("observe", "direct_read,direct_write", "--fs", "ext4"),
        "; what was seen before is shown",
    ),
    "matrix": (
        "dio_mc.machine.kernel_matrix", "kernel_matrix",
        ("matrix", "--operation", "direct_read", "--fs", "ext4", "--state", "s.json"),
        "; run it again to continue from s.json",
    ),
}  # fmt: skip
"""Commands while a guest runs, and what follows the reason for which they end."""


WALKED = {
    "first step": (0, ["m.py M"], "before the schedule was followed to its end"),
    "further steps": (1, ["m.py M"], "before the schedule was followed to its end"),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", WALKED)
def test_a_schedule_is_followed_within_limits(commands: Commands, tmp_path: Path, phase: str, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    after, shown, before = WALKED[phase]
    place = ("dio_mc.semantics.interpreter:Interpreter", "successors")
    code, out, err = commands.run(tmp_path, *place, limit, "step", "m.py", "t[0] *", after=after)
    said = "interrupted" if limit in SIGNALS else f"stopped by {words(limit)}, {before}"
    assert (code, out.splitlines()[: len(shown)], err.strip()) == (3, shown, f"dio-mc: {said}")


@pytest.mark.parametrize("limit", LIMITS)
def test_what_can_follow_is_looked_for_within_limits(commands: Commands, tmp_path: Path, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    place = ("dio_mc.stepping.rest", "explore")
    code, out, err = commands.run(tmp_path, *place, limit, "step", "m.py", "t[0] *")
    assert (code, err) == (3, "")
    assert f"rest      stopped by {words(limit)}, before anything was found\n" in out


SEARCHED = {
    "fix": (("fix", "m.py"), "before the model itself was decided: not everything was tried"),
    "certify": (("certify", "c.json", "p.py"), "UNDETERMINED for any number of t"),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_of_other_commands(commands: Commands, written: Path, tmp_path: Path, name: str, limit: str) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    place = ("dio_mc.semantics.interpreter:Interpreter", "successors")
    arguments, said = SEARCHED[name]
    code, out, err = commands.run(tmp_path, *place, limit, *arguments)
    assert (code, err) == (3, "")
    assert words(limit) in out
    assert said in out


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("name", ON_GUESTS)
def test_guests(commands: Commands, tmp_path: Path, name: str, limit: str) -> None:
    (tmp_path / "vmlinuz").write_bytes(IMAGE)
    place, function, arguments, said = ON_GUESTS[name]
    code, out, err = commands.run(tmp_path, place, function, limit, *arguments, "--kernel", "vmlinuz")
    by = "" if limit in SIGNALS else f" by {words(limit)}"
    assert (code, err.splitlines()[0]) == (3, f"stopped{by}{said}")
    assert "Traceback" not in out + err


@pytest.mark.parametrize("limit", LIMITS)
def test_serving_ends_as_with_ctrl_c(commands: Commands, written: Path, tmp_path: Path, limit: str) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    served = ("dio_mc.html.serve:Server", "serve_forever")
    code, out, err = commands.run(tmp_path, *served, limit, "browse", ".", "--no-open")
    assert (code, err) == (0, "")
    assert out.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("limit", ["timeout", "memory"])
@pytest.mark.parametrize("phase", ["load_module", "build", "follow", "why"])
def test_why_tells_what_the_trace_says(
    commands: Commands, written: Path, tmp_path: Path, phase: str, limit: str
) -> None:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    code, out, err = commands.run(tmp_path, "dio_mc.explain.replaying", phase, limit, "why", "t.json")
    assert err == f"dio-mc: t.json: stopped by {words(limit)}, before the answer: this is what the trace itself says\n"
    assert (code, out.splitlines()[0]) == (3, "M never:")
    assert "steps matter" in out


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(
    "phase", [("dio_mc.checking.driver", "build"), ("dio_mc.semantics.interpreter:Interpreter", "successors")]
)
def test_mutate(commands: Commands, tmp_path: Path, phase: tuple[str, str], limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL.replace("< 2", "< 3"))
    code, out, err = commands.run(tmp_path, *phase, limit, "mutate", "m.py")
    assert code == 3, out + err
    assert words(limit) in out


@pytest.mark.parametrize("limit", LIMITS)
def test_mutate_keeps_fates_without_properties(commands: Commands, tmp_path: Path, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL.replace("< 2", "< 4"))
    phase = ("dio_mc.checking.runs.propose", "tables_of")
    code, out, err = commands.run(tmp_path, *phase, limit, "mutate", "m.py")
    assert code == 1, out + err
    assert f"no property was found: stopped by {words(limit)}" in out


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(("phase", "exit_code"), [("_reached", 3), ("same_behaviour", 1)])
def test_mutate_of_a_rule(commands: Commands, tmp_path: Path, phase: str, exit_code: int, limit: str) -> None:
    arguments = ("mutate", "--rule", "two_class_lock", "--operation", "read", "--kind", "wait")
    code, out, err = commands.run(tmp_path, "dio_mc.checking.runs.mutate_rules", phase, limit, *arguments)
    assert code == exit_code, out + err
    assert f"stopped by {words(limit)}" in out


MANY = """\
from dio_mc import *

class Options(Model):
    n = Var(Range(0, 20000))
    @thread
    def t(self):
        self.n = choose(range(20000))

class Initial(Model):
    n = Var(Range(0, 10**9), init=any)
    @thread
    def t(self):
        self.n = 0
"""


@pytest.mark.parametrize(
    ("name", "engine"), [("Options", "reference"), ("Initial", "reference"), ("Initial", "native")]
)
def test_states_are_not_listed_past_their_limit(tmp_path: Path, name: str, engine: str) -> None:
    """A choice of thousands, and millions of first states: each a loop that looks at the limit."""
    (tmp_path / "m.py").write_text(MANY)
    limits = ("--max-states", "1000", "--max-memory", "2G")
    found = CliRunner().invoke(cli, ["check", str(tmp_path / "m.py"), "--model", name, "--engine", engine, *limits])
    assert found.exit_code == 3
    assert "stopped by --max-states 1000" in found.output
    assert "\n1,000 states" in found.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("matrix", "--rule", "generic_2005", "--operation", "direct_read"), "?  undetermined"),
        (("outcomes", "direct_read,direct_read", "--rule", "generic_2005"), "undetermined (5 states)"),
        (("diff", "generic_2005", "ext3_2_6_18", "direct_read,direct_read"), "a limit ended some searches"),
        (("mutate", "models/toys/counter.py", "--model", "AtomicCounter"), "stopped by --max-states 5"),
    ],
)
def test_states_of_other_commands(arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = CliRunner().invoke(cli, [*arguments, "--max-states", "5"])
    assert (found.exit_code, said in found.output) == (3, True), found.output


def test_memory_that_is_really_taken(tmp_path: Path) -> None:
    text = MODEL.replace("self.n[i] = 1", "self.n[i] = 1; self.more[i] = choose(range(1000))")
    text = text.replace("size=2)", "size=2)\n    more = Array(Range(0, 999), size=1000)")
    (tmp_path / "m.py").write_text(text.replace("< 2", "< 3"))
    code = "import sys\nfrom dio_mc.cli import main\nsys.argv[0] = 'dio-mc'\nmain()"
    arguments = ["check", "m.py", "--engine", "reference", "--max-memory", "200M", "--no-reduction"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, env={**OUTER, "PYTHONPATH": str(ROOT)}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout
    assert "stopped by --max-memory 200M" in done.stdout


def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    """So a shell asks for a job in the background; the command goes on."""
    (tmp_path / "m.py").write_text(MODEL)
    code = (
        "import os, signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from dio_mc.cli import interrupts, main\n"
        "take = interrupts.SIGNALS.take\n"
        "def sent():\n    take()\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "interrupts.SIGNALS.take = sent\nsys.argv = ['dio-mc', 'check', 'm.py']\nmain()"
    )
    done = scripted(tmp_path, code)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "| head -n 1"])
def test_nobody_reads_what_is_said(tmp_path: Path, closed: str) -> None:
    """The verdict is the exit code, and reports are written."""
    (tmp_path / "m.py").write_text(MODEL)
    command = f"{sys.executable} -m dio_mc check m.py --report json=r.json {closed}; echo ${{PIPESTATUS[0]}} > code"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, check=True)
    assert (tmp_path / "code").read_text() == "1\n"
    assert '"VIOLATED"' in (tmp_path / "r.json").read_text()


def test_a_fault_in_the_explanation_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    script = (
        "import sys\nimport dio_mc.explain.witness as witness\nfrom dio_mc.cli import main\n"
        "def broken(*arguments):\n    raise ValueError('broken')\n"
        "witness.why = broken\nsys.argv = ['dio-mc', 'check', 'm.py']\nmain()"
    )
    done = scripted(tmp_path, script)
    assert done.returncode == 1
    assert "note: never: why it fails is left out, by a fault of dio-mc: ValueError: broken" in done.stdout


def test_a_signal_before_anyone_waits_is_told(tmp_path: Path) -> None:
    """The thread of the command is started, and the main thread does not wait for it yet."""
    (tmp_path / "m.py").write_text(MODEL)
    code = (
        "import os, signal, sys\nimport dio_mc.deep as deep\nfrom dio_mc.cli import main\n"
        "started = deep._started\n"
        "def sent(run):\n    thread = started(run)\n    os.kill(os.getpid(), signal.SIGINT)\n    return thread\n"
        "deep._started = sent\nsys.argv = ['dio-mc', 'ir', 'm.py']\nmain()"
    )
    done = scripted(tmp_path, code)
    assert (done.returncode, done.stderr) == (3, "dio-mc: interrupted\n")
