"""What loading a model file may and may not do to the process and to what else is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dio_mc.checking.runs.plan import find_files
from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module
from dio_mc.frontend.recognise import defines_class, imports_dio_mc
from dio_mc.pytest_plugin import looks_like_a_model

MODEL = """
from dio_mc import Model, Range, Var, invariant, thread

class M(Model):
    x = Var(Range(0, 2))

    @thread
    def t(self):
        self.x = 1

    @invariant
    def small(self):
        return self.x < 2
"""


def written(place: Path, text: str) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return place


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("dio-mc")
    return subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", ["types", "random", "json", "enum", "z3", "click"])
def test_a_model_may_be_called_like_any_module(tmp_path: Path, name: str) -> None:
    written(tmp_path / f"{name}.py", MODEL)
    ended = command(tmp_path, "check", f"{name}.py")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"{name}.py M: HOLDS" in ended.stdout


def test_a_sibling_never_stands_for_the_standard_library(tmp_path: Path) -> None:
    written(tmp_path / "random.py", "raise RuntimeError('not the library')\n")
    written(tmp_path / "m.py", "import random\nrandom.random()\n" + MODEL)
    assert command(tmp_path, "check", "m.py").returncode == 0


def test_a_sibling_stands_before_an_installed_package(tmp_path: Path) -> None:
    written(tmp_path / "yaml.py", "WORD = 'sibling'\n")
    written(tmp_path / "m.py", "import yaml\nassert yaml.WORD == 'sibling'\n" + MODEL)
    assert command(tmp_path, "check", "m.py").returncode == 0


def test_a_folder_without_init_does_not_hide_a_package(tmp_path: Path) -> None:
    (tmp_path / "yaml").mkdir()
    written(tmp_path / "m.py", "import yaml\nassert yaml.safe_load('1') == 1\n" + MODEL)
    assert command(tmp_path, "check", "m.py").returncode == 0


def test_what_a_model_prints_does_not_reach_the_report(tmp_path: Path) -> None:
    written(tmp_path / "m.py", "print('hello')\n" + MODEL)
    ended = command(tmp_path, "check", "m.py", "--output-format", "json")
    assert json.loads(ended.stdout)["models"][0]["verdict"] == "HOLDS"
    assert ended.stderr == "hello\n"


def test_a_model_cannot_end_the_process_with_success(tmp_path: Path) -> None:
    written(tmp_path / "m.py", "import os\nos._exit(0)\n" + MODEL)
    ended = command(tmp_path, "check", "m.py")
    assert ended.returncode == 2
    assert "m.py:2:1: error DIO101: importing the model raised SystemExit: os._exit(0)" in ended.stdout + ended.stderr


def test_a_child_of_a_model_may_end(tmp_path: Path) -> None:
    forked = "import os\nchild = os.fork()\nif not child:\n    os._exit(7)\n"
    waited = "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
    written(tmp_path / "m.py", forked + waited + MODEL)
    assert command(tmp_path, "check", "m.py").returncode == 0


def test_a_pipe_and_a_device_are_not_models(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    for name in (str(tmp_path / "pipe.py"), "/dev/null"):
        with pytest.raises(ModelError, match="is not a regular file"):
            load_module(name)


def test_nobody_waits_for_a_pipe_in_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    written(tmp_path / "m.py", MODEL)
    ended = command(tmp_path, "check", ".")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert defines_class(tmp_path / "pipe.py", "M"), "it may: loading it says what it is"
    assert not looks_like_a_model(tmp_path / "pipe.py")


@pytest.mark.parametrize("head", ["\ufeff", "\f\n", "\f"], ids=["byte order mark", "form feed line", "form feed"])
def test_what_python_takes_is_taken(tmp_path: Path, head: str) -> None:
    wrong = MODEL.replace("self.x < 2", "self.y < 2")
    ended = command(written(tmp_path / "m.py", head + MODEL).parent, "check", "m.py")
    assert ended.returncode == 0, ended.stderr
    line = 1 + (head + wrong)[: (head + wrong).index("self.y")].count("\n")
    ended = command(written(tmp_path / "m.py", head + wrong).parent, "check", "m.py")
    assert f"m.py:{line}:16: error" in ended.stdout + ended.stderr
    assert f"{line:5d} |         return self.y < 2" in ended.stdout + ended.stderr


def test_a_folder_is_searched_for_models_only(tmp_path: Path) -> None:
    written(tmp_path / "m.py", "from parts import M as Base\nclass N(Base):\n    pass\n")
    written(tmp_path / "parts.py", MODEL)
    written(tmp_path / "deploy.py", "open('ran', 'w').write('x')\n")
    written(tmp_path / "told.py", '"""\nfrom dio_mc import Model\n"""\nopen("ran", "w").write("x")\n')
    written(tmp_path / "venv" / "pyvenv.cfg", "home = /usr\n")
    written(tmp_path / "venv" / "lib" / "other.py", MODEL)
    written(tmp_path / "node_modules" / "other.py", MODEL)
    files, failures = find_files([str(tmp_path)])
    assert ([Path(f).name for f, _ in files], failures) == (["m.py", "parts.py"], [])
    assert command(tmp_path, "check", ".").returncode == 0
    assert not (tmp_path / "ran").exists()


def test_a_file_that_is_named_is_run(tmp_path: Path) -> None:
    written(tmp_path / "deploy.py", "open('ran', 'w').write('x')\n")
    assert command(tmp_path, "check", "deploy.py").returncode == 2
    assert (tmp_path / "ran").exists()


def test_a_broken_model_in_a_folder_is_still_told(tmp_path: Path) -> None:
    written(tmp_path / "broken.py", "from dio_mc import Model\nclass M(Model:\n")
    written(tmp_path / "other.py", "class M(:\n")
    files, _ = find_files([str(tmp_path)])
    assert [Path(f).name for f, _ in files] == ["broken.py"]


def test_files_that_import_each_other_end(tmp_path: Path) -> None:
    one = written(tmp_path / "one.py", "import two\n")
    written(tmp_path / "two.py", "import one\n")
    assert not imports_dio_mc(one)


def test_a_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        written(tmp_path / f"m{number}.py", MODEL)
    listed: list[Path] = []
    real = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, pattern: listed.append(self) or real(self, pattern))
    for number in range(20):
        load_module(tmp_path / f"m{number}.py")
    assert len(listed) == 1
