"""The commands under attack, and the files that they are run on."""

from __future__ import annotations

import importlib
import random

from .campaign import Command, Progress, a_folder, attack, run
from .injecting import Kind

LOADED = (
    "checking.driver", "checking.runs.mutate", "checking.runs.kept_cells", "cli", "cli.cells", "cli.session",
    "engines.checkpoints.store", "engines.choose", "engines.disk.search", "engines.native.engine", "explain.witness", "explain.replaying", "export.promela", "html.trace_page",
    "report.artifacts", "report.sarif", "study.state_graph", "study.tables", "symbolic.evaluator", "trace.codec",
)  # fmt: skip
"""What commands import when they run: a child need not."""
RACE = """from dio_mc import *

class Race(Model):
    \"\"\"Two threads count without a lock.\"\"\"

    count = Var(Range(0, 2))
    done = PerThread(bool)

    @thread(instances=2)
    def adder(self):
        seen = self.count
        self.count = seen + 1
        self.done[me] = True

    @invariant
    def nothing_lost(self):
        return not all(self.done[t] for t in threads()) or self.count == 2
"""
HOLDS = RACE.replace("        seen = self.count\n        self.count = seen + 1\n", "        self.count += 1\n").replace(
    "Race", "Fine"
)
LIVE = """from dio_mc import *

class Live(Model):
    \"\"\"One hands over to the other, for ever.\"\"\"

    n = Var(Range(0, 3))

    @thread(instances=2)
    def one(self):
        while True:
            with atomic():
                wait_until(self.n < 3)
                self.n += 1

    @thread(daemon=True)
    def two(self):
        while True:
            with atomic():
                wait_until(self.n > 0)
                self.n -= 1

    @progress
    def comes(self):
        return self.n == 0
"""
ON_DISK = (
    "check",
    "m.py",
    "--engine",
    "native",
    "--no-reduction",
    "--disk",
    ".",
    "--checkpoint",
    "saved",
    "--no-artifacts",
)
COMMANDS = (
    Command("check, violated", ("check", "m.py", "--no-artifacts"), 1),
    Command("check, holds", ("check", "h.py"), 0),
    Command(
        "check, reports",
        (
            "check",
            "m.py",
            "--report=sarif=r.sarif",
            "--report=junit=r.xml",
            "--report=json=r.json",
            "--report=markdown=r.md",
        ),
        1,
        ("r.sarif", "r.xml", "r.json", "r.md"),
    ),
    Command("check, machine code", ("check", "m.py", "--engine", "native", "--no-artifacts"), 1),
    Command("check, saved", ("check", "l.py", "--checkpoint", "saved", "--max-depth", "2", "--no-artifacts"), 3),
    Command("check, saved and done", ("check", "l.py", "--checkpoint", "saved", "--no-artifacts"), 1),
    Command("check, on disk and saved", (*ON_DISK, "--max-depth", "4"), 3, large=True),
    Command("check, on disk and resumed", (*ON_DISK, "--resume"), 1, first=(*ON_DISK, "--max-depth", "4"), large=True),
    Command("show", ("show", "t.json", "--format", "svg", "-o", "t.svg"), 0, ("t.svg",)),
    Command("show, page", ("show", "t.json", "--format", "html", "-o", "t.html"), 0, ("t.html",)),
    Command("why", ("why", "t.json"), 0),
    Command("replay", ("replay", "t.json"), 0),
    Command("export", ("export", "m.py", "--to", "promela", "-o", "m.pml"), 0, ("m.pml",)),
    Command("graph", ("graph", "m.py", "-o", "g.dot"), 0, ("g.dot",)),
    Command("mutate", ("mutate", "h.py"), 1),
    Command(
        "matrix",
        (
            "matrix",
            "--rule",
            "generic_2005",
            "--operation",
            "direct_read",
            "--format",
            "json",
            "-o",
            "x.json",
            "--jobs",
            "1",
        ),
        0,
        ("x.json",),
    ),
)


def files() -> dict[str, str]:
    """The files, a counterexample among them."""
    for name in LOADED:
        importlib.import_module(f"dio_mc.{name}")
    texts = {"m.py": RACE, "h.py": HOLDS, "l.py": LIVE}
    with a_folder(texts) as folder:
        made = run(Command("check", ("check", "m.py"), 1), folder, None)
        traces = sorted(folder.glob("counterexamples/*/*.json"))
        assert made.code == 1, made.err
        return {**texts, "t.json": traces[0].read_text()}


def campaign(kinds: tuple[Kind, ...], most: int, seed: int, only: str = "") -> Progress:
    """Attack the commands that have this word in their names, at `most` occasions each."""
    progress, rng, texts = Progress(), random.Random(seed), files()
    for command in COMMANDS:
        for kind in kinds:
            if only in command.name:
                before = progress.runs
                occasions = attack(command, kind, texts, progress, most, rng)
                print(f"{command.name}, {kind}: {occasions} occasions, {progress.runs - before} runs", flush=True)
    return progress
