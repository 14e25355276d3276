"""`dio-mc mutate` and the properties it proposes for survivors: text, JSON, processes, limits."""

from __future__ import annotations

import json
from pathlib import Path

from report_models import BLIND, ROOT, dio_mc, write

HISTORY = ROOT / "models" / "history"

LOST_WAKEUP = """\
p7_lost_wakeup.py PreparesFirst: 6 of 11 mutants caught, 54 %
  fix of TestsFirst, which violates waiter_goes_on in 4 steps; is each line needed?
    needed       52 > self.prepare_to_wait()  waiter_goes_on in 4 steps
  survived     p7_lost_wakeup.py:36 prepare_to_wait: without `self.queued = True`
               proposed_1 catches it
  survived     p7_lost_wakeup.py:40 schedule: without `wait_until(not self.queued)`
               proposed_2 catches it
  survived     p7_lost_wakeup.py:52 wait_for_placeholder: without `self.prepare_to_wait()`
               proposed_1 catches it
  survived     p7_lost_wakeup.py:54 wait_for_placeholder: `if present` taken as false
               proposed_2 catches it
  survived     p7_lost_wakeup.py:55 wait_for_placeholder: without `self.schedule()`
               proposed_2 catches it
  properties that PreparesFirst has and these mutants do not:
    from dio_mc import invariant, reachable

    @reachable
    def proposed_1(self):
        return self.queued

    @invariant
    def proposed_2(self):
        return not self.finished(self.waiter) or not self.placeholder
"""


def test_golden_text_of_history() -> None:
    done = dio_mc("mutate", "p7_lost_wakeup.py", "--model", "PreparesFirst", cwd=HISTORY)
    assert (done.stdout, done.returncode) == (LOST_WAKEUP, 1), done.stderr


def test_the_json_report(tmp_path: Path) -> None:
    write(tmp_path, m=BLIND)
    done = dio_mc("mutate", "m.py", "--output-format", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["models"]
    assert found["proposals"] == [
        {
            "name": "proposed_1", "kind": "invariant", "imports": [],
            "source": "@invariant\ndef proposed_1(self):\n    return not self.at_rest() or self.x == 2\n",
        }
    ]  # fmt: skip
    assert [row["proposal"] for row in found["mutants"] if row["fate"] == "survived"] == ["proposed_1"] * 3
    assert [row["proposal"] for row in found["mutants"] if row["fate"] == "caught"] == [None]


def test_the_same_bytes_from_several_processes_and_hash_seeds(tmp_path: Path) -> None:
    write(tmp_path, m=BLIND)
    runs = [
        dio_mc("mutate", "m.py", f"--jobs={jobs}", cwd=tmp_path, PYTHONHASHSEED=seed).stdout
        for jobs, seed in ((1, "1"), (3, "2"))
    ]
    assert runs[0] == runs[1]
    assert "proposed_1 catches it" in runs[0]


def test_it_can_be_left_out(tmp_path: Path) -> None:
    write(tmp_path, m=BLIND)
    assert "proposed" not in dio_mc("mutate", "m.py", "--no-propose", cwd=tmp_path).stdout
