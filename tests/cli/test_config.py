"""Settings: where a value comes from, what is refused, that `check` uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_models import BIG, HOLDS, VACUOUS, VIOLATED, dio_mc, write

from dio_mc.config import PREFIX, SETTINGS, effective
from dio_mc.errors import ModelError

TOML = "jobs = 2\nmax-memory = '1G'\nmodels = ['a', 'b']\nartifacts = false\n\n[report]\nsarif = 'out.sarif'\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(given: dict[str, Any] | None = None, **environment: str) -> dict[str, tuple[Any, str]]:
    return {n: (v.value, v.origin) for n, v in effective(given or {}, environment).items()}


def refused(**environment: str) -> str:
    with pytest.raises(ModelError) as caught:
        effective({}, environment)
    return str(caught.value)


def test_the_command_line_before_the_environment_before_the_file_before_the_default(folder: Path) -> None:
    assert values()["jobs"] == (1, "default")
    (folder / "dio-mc.toml").write_text(TOML)
    assert values()["jobs"] == (2, "dio-mc.toml:1")
    assert values(DIO_MC_JOBS="3")["jobs"] == (3, "environment DIO_MC_JOBS")
    assert values({"jobs": 4}, DIO_MC_JOBS="3")["jobs"] == (4, "command line")
    assert values({"jobs": None}, DIO_MC_JOBS="3")["jobs"] == (3, "environment DIO_MC_JOBS")


def test_a_file(folder: Path) -> None:
    (folder / "dio-mc.toml").write_text(TOML)
    found = values()
    assert found["max-memory"] == (1 << 30, "dio-mc.toml:2")
    assert found["models"] == (("a", "b"), "dio-mc.toml:3")
    assert found["artifacts"] == (False, "dio-mc.toml:4")
    assert found["report"] == ((("sarif", "out.sarif"),), "dio-mc.toml:6")
    assert found["strict"] == (False, "default")


def test_a_table_in_pyproject(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[project]\njobs = 7\n\n[tool.dio-mc]\nmax_states = 10\njobs = 3\n")
    assert (values()["jobs"], values()["max-states"]) == ((3, "pyproject.toml:6"), (10, "pyproject.toml:5"))
    (folder / "dio-mc.toml").write_text("")
    assert "dio-mc.toml: error DIO213: there is [tool.dio-mc] in pyproject.toml as well" in refused()
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert values()["jobs"] == (1, "default")


def test_paths_of_a_file_are_relative_to_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "dio-mc.toml").write_text(TOML + "junit = 'sub/x.xml'\n")
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    found = values()
    assert found["models"][0] == (str(folder / "a"), str(folder / "b"))
    assert found["report"][0] == (("sarif", str(folder / "out.sarif")), ("junit", "x.xml"))


def test_nothing_above_the_repository_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "dio-mc.toml").write_text("jobs = 2\n")
    (folder / "inner" / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder / "inner")
    assert values()["jobs"] == (1, "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jbos = 2\n", "dio-mc.toml:1:1: error DIO211: unknown setting `jbos`\n    1 | jbos = 2\n      | ^^^^^^^^\n  hint: did you mean `jobs`?"),
        ("jobs = 0\n", "error DIO212: jobs = 0 is not a whole number of at least 1"),
        ("jobs = '2x'\n", "error DIO212: jobs = '2x' is not a whole number of at least 1"),
        ("jobs = true\n", "error DIO212: jobs = True is not a whole number"),
        ("jobs = 1.5\n", "error DIO212: jobs = 1.5 is not a whole number"),
        ("strict = 'maybe'\n", "error DIO212: strict = 'maybe' is neither true nor false"),
        ("strict = 1\n", "error DIO212: strict = 1 is neither true nor false"),
        ("timeout = -1\n", "error DIO212: timeout = -1 is not a number of seconds"),
        ("timeout = nan\n", "error DIO212: timeout = nan is not a number of seconds"),
        ("max-memory = 'lots'\n", "error DIO212: max-memory = 'lots' is not an amount of memory, such as 800M or 4G"),
        ("models = [1]\n", "error DIO212: models = [1] is not a list of non-empty strings"),
        ("report = ['sarf=x']\n", "is not a report format: did you mean `sarif`?"),
        ("counterexamples = ''\n", "error DIO212: counterexamples = '' is not a non-empty string"),
        ("jobs = \n", "dio-mc.toml: error DIO213: cannot be read: Invalid value (at line 1, column 8)"),
    ],
)  # fmt: skip
def test_what_is_refused(folder: Path, text: str, message: str) -> None:
    (folder / "dio-mc.toml").write_text(text)
    assert message in refused()


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    (folder / "dio-mc.toml").write_text("jbos = 2\ntimeout = 'x'\n")
    assert [line[:26] for line in refused().splitlines() if "error" in line] == [
        f"dio-mc.toml:{n}:1: error DIO" for n in (1, 2)
    ]


def test_the_environment(folder: Path) -> None:
    assert values(DIO_MC_MODELS="a, b")["models"][0] == ("a", "b")
    assert values(DIO_MC_STRICT="1")["strict"][0] is True
    assert values(DIO_MC_DEBUG="1")["strict"][1] == "default"
    assert "unknown setting DIO_MC_STRIKT in the environment\n  hint: did you mean `DIO_MC_STRICT`?" in refused(
        DIO_MC_STRIKT="1"
    )
    assert "error DIO212: DIO_MC_JOBS=two is not a whole number of at least 1" in refused(DIO_MC_JOBS="two")


def test_config_shows_every_value_and_its_origin(tmp_path: Path) -> None:
    (tmp_path / "dio-mc.toml").write_text(TOML)
    done = dio_mc("config", cwd=tmp_path, DIO_MC_JOBS="3")
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines()}
    assert (done.returncode, list(rows)) == (0, list(SETTINGS))
    assert rows["jobs"][1:4] == ["3", "environment", "DIO_MC_JOBS"]
    assert rows["models"][1:4] == ["a,", "b", "dio-mc.toml:3"]
    assert rows["timeout"][1:3] == ["-", "default"]
    assert rows["report"][1:3] == ["sarif=out.sarif", "dio-mc.toml:6"]


def test_every_setting_is_an_option_or_the_argument_of_check(tmp_path: Path) -> None:
    shown = dio_mc("check", "--help", cwd=tmp_path).stdout
    for name in SETTINGS:
        assert name == "models" or f"--{name}" in shown
        assert PREFIX


def test_check_uses_them(tmp_path: Path) -> None:
    write(tmp_path / "models", a=VIOLATED, b=VACUOUS)
    assert dio_mc("check", cwd=tmp_path).returncode == 2
    (tmp_path / "dio-mc.toml").write_text(
        "models = ['models']\nstrict = true\ncounterexamples = 'here'\nreport = ['ktap=k.tap']\n"
    )
    done = dio_mc("check", cwd=tmp_path)
    assert done.returncode == 1
    assert "FINDING DIO313" in done.stdout
    assert (tmp_path / "here" / "a.M" / "small.txt").exists()
    assert (tmp_path / "k.tap").read_text().startswith("KTAP version 1\n1..2\n")
    assert dio_mc("check", "models/b.py", "--no-strict", cwd=tmp_path).returncode == 0
    write(tmp_path / "models", a=BIG)
    assert dio_mc("check", "models/a.py", cwd=tmp_path, DIO_MC_MAX_STATES="9").returncode == 3
    assert (
        dio_mc("check", "models/a.py", cwd=tmp_path, DIO_MC_MAX_STATES="9", DIO_MC_ALLOW_UNDETERMINED="yes").returncode
        == 0
    )


def test_a_broken_file_stops_check_but_not_help(tmp_path: Path) -> None:
    write(tmp_path, m=HOLDS)
    (tmp_path / "dio-mc.toml").write_text("jbos = 1\n")
    done = dio_mc("check", "m.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "DIO211" in done.stderr
    assert dio_mc("check", "--help", cwd=tmp_path).returncode == 0
    assert dio_mc("config", cwd=tmp_path).returncode == 2
