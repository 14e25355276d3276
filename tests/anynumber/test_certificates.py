"""Certificates: written, checked alone, and every change of one is noticed."""

from __future__ import annotations

import copy
import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import any_models as models
import forked
import pytest
from concrete import Proof, never

from dio_mc.anynumber.certificate import certificate_text, read_certificate
from dio_mc.anynumber.proof import check_views
from dio_mc.anynumber.views import Views
from dio_mc.checking import general
from dio_mc.checking.driver import Options
from dio_mc.checking.general import certify
from dio_mc.errors import ModelError

ROOT = Path(__file__).resolve().parents[2]
GONE = object()
SEED = str(ROOT / "models" / "seed" / "placeholder.py")


def dio_mc(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), "PYTHONPATH": str(ROOT)}
    return forked.run([*arguments], cwd, known)


def test_from_model_to_certificate_and_back(tmp_path: Path) -> None:
    kept = tmp_path / "placeholder.json"
    made = dio_mc(
        "check", SEED, "--model", "Placeholder", "--param", "readers=1", "--any", "readers",
        "--certificate", str(kept), "--no-artifacts", cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    said = (
        "HOLDS for any number of reader, with mapper, pdflush, pages=1: no_stale_exposure, no_hole_filled, "
        "pinned_while_reading, faults; 280 views, re-checked in 71 steps; not covered: new_data_can_be_read, deadlock"
    )
    assert f"  {said}\n" in made.stdout
    alone = dio_mc("certify", str(kept), SEED, cwd=tmp_path)
    assert (alone.returncode, alone.stderr) == (0, "")
    assert alone.stdout.endswith(f"placeholder.py Placeholder: {said}\n")


def test_a_request_to_stop_is_seen_within_a_few_states(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = Proof(models.Numbered, "readers")
    text = certificate_text("Numbered", proof.asked, {}, proof.ground, proof.views)
    assert len(proof.views.rows) >= 3
    monkeypatch.setattr(general, "POLLED", 2)
    looks = count()
    found = certify(models.Numbered, text, "c.json", Options(stop=lambda: "Ctrl-C" if next(looks) else None))
    assert (found.verdict, found.stopped, next(looks)) == ("UNDETERMINED", "Ctrl-C", 2)


def test_a_model_that_cannot_be_loaded_is_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import nothing_like_that\n")
    made = dio_mc("check", "m.py", "--any", "all", "--certificate", "c.json", cwd=tmp_path)
    assert (made.returncode, "No module named 'nothing_like_that'" in made.stderr) == (2, True)
    assert "DIO273" not in made.stderr


def test_what_is_no_certificate_of_this_model(tmp_path: Path) -> None:
    kept = tmp_path / "c.json"
    only = ("--model", "Placeholder", "--param", "readers=1", "--no-artifacts")
    dio_mc("check", SEED, *only, "--any", "readers", "--certificate", str(kept), cwd=tmp_path)
    document = json.loads(kept.read_text())

    def ends_with(changed: object, text: str) -> None:
        kept.write_text(json.dumps(changed) if not isinstance(changed, str) else changed)
        done = dio_mc("certify", str(kept), SEED, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert text in done.stderr.splitlines()[0]

    ends_with("{", "error DIO271: not a certificate that can be checked: it is not JSON")
    ends_with([], "its schema is not dio-mc/certificate/1")
    ends_with({**document, "version": "0.0.1"}, "it was written by version '0.0.1'")
    ends_with({**document, "threads": [[0, ["x"], [], []]]}, "it is damaged: TypeError")
    ends_with({**document, "views": [[[0], [[99, [99]]]]]}, "it is damaged: ValueError")
    ends_with({**document, "model": "Placeholders"}, "error DIO272: the certificate is of `Placeholders`")
    ends_with({**document, "more": 1}, "it has the unknown field 'more'")
    ends_with({**document, "kinds": ["readers"]}, "its threads have other names than this program's")
    ends_with({**document, "common": ["x"]}, "its data has other names than this program's")
    ends_with({**document, "digest": "0"}, "error DIO272: the certificate is of another model than Placeholder")
    ends_with(
        {**document, "threads": [[7, [0], [], []]], "views": []}, "it has a thread that cannot be one of this program's"
    )
    ends_with({**document, "views": [[[0], [[0, [0]]]]]}, "it has a state that cannot be one of this program's")
    ends_with({**document, "views": document["views"][1:]}, "error DIO274: the certificate is not a proof: ")
    ends_with({**document, "params": {"pages": 2}}, "error DIO272: the certificate is of another model")
    missing = dio_mc("certify", str(tmp_path / "none.json"), SEED, cwd=tmp_path)
    assert missing.returncode == 2
    assert "none.json: error DIO271: cannot be read: No such file or directory" in missing.stderr


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    for arguments, text in (
        (("--certificate", "x"), "it needs --any"),
        (("--any", "readers", "--simulate", "5"), "not with --simulate"),
        (("--any", " , "), "--any names threads"),
        (
            ("--any", "readers", "--certificate", "x"),
            "error DIO273: --certificate keeps one proof, and there are 6 runs",
        ),
    ):
        done = dio_mc("check", SEED, *arguments, "--no-artifacts", cwd=tmp_path)
        assert done.returncode == 2
        assert text in done.stderr


@pytest.mark.parametrize(
    ("model", "words"), [(models.Exclusive, "writer"), (models.Completes, "submitter"), (models.Numbered, "readers")]
)
def test_every_view_that_is_taken_out_is_missed(model: type, words: str) -> None:
    proof = Proof(model, words)
    text = certificate_text(model.__name__, proof.asked, {}, proof.ground, proof.views)
    assert check_views(proof.ground, read_certificate(text, "").views, never).gaps == []
    document = json.loads(text)
    taken = 0
    for state, (_, graph) in enumerate(document["views"]):
        for row, (_, others) in enumerate(graph):
            for position in range(len(others)):
                changed = copy.deepcopy(document)
                del changed["views"][state][1][row][1][position]
                checked = check_views(proof.ground, read_certificate(json.dumps(changed), "").views, never)
                assert checked.gaps, (state, row, position)
                taken += 1
    assert taken == len(proof.views)


def test_a_value_that_is_changed_is_noticed() -> None:
    """Only a change that happens to be another proof may pass: then the same is proved."""
    proof = Proof(models.Numbered, "readers")
    document = json.loads(certificate_text("Numbered", proof.asked, {}, proof.ground, proof.views))
    dice = random.Random(1)
    noticed = 0
    for _ in range(120):
        changed = copy.deepcopy(document)
        if dice.random() < 0.5:
            cells = changed["views"][dice.randrange(len(changed["views"]))][0]
        else:
            cells = dice.choice(changed["threads"])[1]
        where = dice.randrange(len(cells))
        cells[where] = dice.choice([value for value in (0, 1, 2) if value != cells[where]])
        try:
            checked = check_views(proof.ground, read_certificate(json.dumps(changed), "").views, never)
            noticed += bool(checked.gaps or checked.violated or checked.faults)
        except (ModelError, IndexError, KeyError):
            noticed += 1
    assert noticed == 120


def test_the_violation_of_a_larger_instance_is_replayed(tmp_path: Path) -> None:
    model = tmp_path / "three.py"
    model.write_text(
        "from dio_mc import *\nclass Three(Model):\n    n = Var(Range(0, 3))\n    @thread\n    def worker(self):\n"
        "        with atomic():\n            wait_until(self.n < 3)\n            self.n += 1\n"
        "    @invariant\n    def below_three(self):\n        return self.n < 3\n"
    )
    done = dio_mc("check", "three.py", "--any", "worker", "--counterexamples", "c", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "  VIOLATED for any number of worker: below_three; proved: faults; 9 views" in done.stdout
    again = dio_mc("replay", "c/three.Three@worker=3/below_three.json", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (0, "")


def test_a_model_that_has_changed_is_noticed(tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text(
        "from dio_mc import *\nclass M(Model):\n    x = Var(range(3))\n    @thread\n    def w(self):\n"
        "        self.x = 1\n    @invariant\n    def p(self):\n        return self.x < 2\n"
    )
    kept = tmp_path / "m.json"
    assert dio_mc("check", str(model), "--any", "w", "--certificate", str(kept), cwd=tmp_path).returncode == 0
    assert dio_mc("certify", str(kept), str(model), cwd=tmp_path).returncode == 0
    model.write_text(model.read_text().replace("self.x = 1", "self.x = 2"))
    done = dio_mc("certify", str(kept), str(model), cwd=tmp_path)
    assert done.returncode == 2
    assert "the model has changed since" in done.stderr


def changes(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every place in a document with something else to stand there; ``GONE`` takes it out."""
    match value:
        case dict() | list():
            places = list(value) if isinstance(value, dict) else range(len(value))
            for place in places:
                yield (*where, place), GONE
                yield from changes(value[place], (*where, place))
            yield where, value | {"more": 1} if isinstance(value, dict) else [*value, *value[:1]]
        case bool():
            yield where, not value
            yield where, int(value)
        case int():
            yield from ((where, other) for other in (value + 1, value - 1, str(value), True, float(value)))
        case str():
            yield from ((where, other) for other in (value + "x", value[1:], 0, None))
        case _:
            yield where, "x"


def changed_at(document: dict[str, Any], where: tuple[Any, ...], new: object) -> dict[str, Any]:
    if not where:
        return dict(new) if isinstance(new, dict) else {}
    changed = copy.deepcopy(document)
    inner = changed
    for place in where[:-1]:
        inner = inner[place]
    if new is GONE:
        del inner[where[-1]]
    else:
        inner[where[-1]] = new
    return changed


def refused(model: type, text: str) -> str | None:
    """What is said of a certificate, or None for one that proves something."""
    try:
        found = certify(model, text, "c.json", Options())
    except ModelError as error:
        return str(error)
    return None if found.verdict == "HOLDS" else found.words()


@pytest.mark.parametrize(("model", "words"), [(models.Exclusive, "writer"), (models.Completes, "submitter")])
def test_every_field_that_is_changed_is_noticed(model: type, words: str) -> None:
    """What is still read as the same may pass, and a set with more views that is closed proves the same."""
    proof = Proof(model, words)
    text = certificate_text(model.__name__, proof.asked, {}, proof.ground, proof.views)
    document = json.loads(text)
    before = read_certificate(text, "")
    assert isinstance(before.views, Views)
    every = list(changes(document))
    inside = [change for change in every if change[0][:1] in (("views",), ("threads",))]
    tried = [change for change in every if change not in inside] + random.Random(7).sample(inside, 60)
    noticed, passed = 0, list[tuple[Any, ...]]()
    for where, new in tried:
        changed = json.dumps(changed_at(document, where, new))
        said = refused(model, changed)
        if said is not None:
            assert re.match("c.json: error DIO27[124]: [^\n]+", said), said
            noticed += 1
            continue
        again = read_certificate(changed, "")
        assert isinstance(again.views, Views)
        same_head = replace(again, views=before.views) == before
        if not same_head or not set(again.views.pairs()) >= set(before.views.pairs()):
            passed.append((where, new))
    assert passed == []
    assert noticed > 100
