"""Every report format, read back by somebody else's parser; and no format shows what is undetermined as a pass."""

from __future__ import annotations

import json
import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from report_models import BIG, BROKEN, DEADLOCK, FAULT, HOLDS, RACE, VACUOUS, VIOLATED, dio_mc, write

from dio_mc.choices import ENGINES
from dio_mc.choices import REPORT_FORMATS as FORMATS
from dio_mc.engines.choose import EngineName
from dio_mc.report.formats import _WRITERS

SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "sarif-2.1.0.json"
CAUSES = {
    "holds": (HOLDS, [], 0),
    "violated": (VIOLATED, [], 1),
    "race": (RACE, [], 1),
    "deadlock": (DEADLOCK, [], 1),
    "fault": (FAULT, [], 1),
    "broken": (BROKEN, [], 2),
    "undetermined": (BIG, ["--max-states", "100"], 3),
    "allowed": (BIG, ["--max-states", "100", "--allow-undetermined"], 0),
    "finding": (VACUOUS, [], 0),
    "strict": (VACUOUS, ["--strict"], 1),
    "as expected": (VIOLATED + "\nexpect(M, violates='small')\n", [], 0),
    "not as expected": (HOLDS + "\nexpect(M, violates='small')\n", [], 1),
    "expected fault is missing": (HOLDS + "\nexpect(M, violates='range')\n", [], 1),
    "expected length is wrong": (VIOLATED + "\nexpect(M, violates='small', steps=2)\n", [], 1),
}


def test_the_names_of_formats_agree() -> None:
    assert tuple(_WRITERS) == FORMATS
    assert get_args(EngineName) == ENGINES


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[int, str]]:
    """Exit code and text by cause and format."""
    found = {}
    for cause, (text, options, _) in CAUSES.items():
        folder = tmp_path_factory.mktemp("cause")
        write(folder, m=text)
        wanted = [f"--report={form}=out.{form}" for form in FORMATS]
        done = dio_mc("check", "m.py", *options, *wanted, cwd=folder)
        assert "Traceback" not in done.stderr, done.stderr
        found |= {(cause, form): (done.returncode, (folder / f"out.{form}").read_text()) for form in FORMATS}
    return found


@pytest.mark.parametrize("cause", CAUSES)
def test_exit_codes(cause: str, reports: dict[tuple[str, str], tuple[int, str]]) -> None:
    assert {reports[cause, form][0] for form in FORMATS} == {CAUSES[cause][2]}


def red_in(form: str, text: str) -> bool:
    """Whether a reader of this format, going by its own rules, sees anything that is not a pass."""
    match form:
        case "json" | "jsonl":
            lines = [json.loads(text)] if form == "json" else [json.loads(line) for line in text.splitlines()]
            return lines[-1]["exit_code"] != 0
        case "junit":
            return any(element.tag in ("failure", "error") for element in ElementTree.fromstring(text).iter())
        case "sarif":
            return any(r["level"] == "error" or "properties" in r for r in sarif_results(text))
        case "ktap":
            return any(line.strip().startswith("not ok") for line in text.splitlines())
        case "github":
            return bool(re.search(r"^::(error|warning) ", text, re.MULTILINE))
        case "markdown":
            return "**FAIL**" in text or "UNDETERMINED" in text
    words = re.compile(r"\b(VIOLATED|UNDETERMINED|FINDING|NOT AS EXPECTED|error DIO\d+)\b")
    return any(words.search(line) for line in text.splitlines() if "(as expected)" not in line)


def sarif_results(text: str) -> list[dict[str, Any]]:
    return json.loads(text)["runs"][0]["results"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("cause", CAUSES)
def test_every_format_is_red_where_something_is_wrong(
    cause: str, form: str, reports: dict[tuple[str, str], tuple[int, str]]
) -> None:
    code, text = reports[cause, form]
    if cause == "allowed":  # the code is 0 on request; the report still says it
        assert form in ("json", "jsonl") or red_in(form, text)
    else:
        assert red_in(form, text) == (code != 0), text


@pytest.mark.parametrize("cause", CAUSES)
def test_sarif_is_valid(cause: str, reports: dict[tuple[str, str], tuple[int, str]]) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="not installed: pip install 'dio-mc[test]'")
    log = json.loads(reports[cause, "sarif"][1])
    validator = jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()))
    assert [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(log)] == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["partialFingerprints"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "m.py"
        assert result["kind"] == "fail", "any other kind demands level none, and nobody would see it"
    assert run["invocations"][0]["exitCode"] == CAUSES[cause][2]


def test_sarif_of_a_race(reports: dict[tuple[str, str], tuple[int, str]]) -> None:
    (result,) = sarif_results(reports["race", "sarif"][1])
    assert (result["ruleId"], result["level"]) == ("DIO-INV/nothing_lost", "error")
    line = RACE[: RACE.index("def nothing_lost")].count("\n") + 1
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == line
    (flow,) = result["codeFlows"]
    assert [f["id"] for f in flow["threadFlows"]] == ["CPU0 adder[0]", "CPU1 adder[1]"]
    orders = [[place["executionOrder"] for place in f["locations"]] for f in flow["threadFlows"]]
    assert orders == [[1, 4], [2, 3]]
    first = flow["threadFlows"][0]["locations"][0]["location"]
    assert first["logicalLocations"] == [{"fullyQualifiedName": "mm/filemap.c:increment", "kind": "function"}]
    assert flow["threadFlows"][1]["locations"][1]["state"] == {"x": {"text": "0 -> 1"}}


@cache
def fingerprint(text: str, folder: Path) -> str:
    write(folder, m=text)
    done = dio_mc("check", "m.py", "--output-format", "sarif", "--no-artifacts", cwd=folder)
    (result,) = sarif_results(done.stdout)
    return result["partialFingerprints"]["dioMcActions/v1"]


def test_a_fingerprint_survives_edits_elsewhere(tmp_path: Path) -> None:
    before = fingerprint(RACE, tmp_path)
    assert fingerprint(RACE.replace("class Race", "# a comment\n\n\nclass Race"), tmp_path) == before
    assert fingerprint(RACE.replace("Range(0, 2)", "Range(0, 3)"), tmp_path) == before
    assert fingerprint(RACE.replace("seen + 1", "1 + seen"), tmp_path) != before


def test_sarif_rules_of_each_cause(reports: dict[tuple[str, str], tuple[int, str]]) -> None:
    rules = {c: [(r["ruleId"], r["level"]) for r in sarif_results(reports[c, "sarif"][1])] for c in CAUSES}
    assert rules["holds"] == rules["as expected"] == []
    assert rules["deadlock"] == [("DIO-INV/deadlock", "error"), ("DIO328", "warning")]
    assert rules["fault"] == [("DIO-INV/range", "error")]
    assert rules["broken"] == [("DIO104", "error")]
    assert rules["finding"] == [("DIO313", "warning")]
    assert rules["strict"] == [("DIO313", "error")]
    judged = [rule for rule in rules["undetermined"] if rule[0].startswith("DIO-INV/")]
    assert judged == [(f"DIO-INV/{n}", "warning") for n in ("always", "deadlock", "faults")]


def test_junit_by_another_parser(reports: dict[tuple[str, str], tuple[int, str]]) -> None:
    junitparser = pytest.importorskip("junitparser", reason="not installed: pip install 'dio-mc[test]'")
    counts = {}
    for cause in CAUSES:
        xml = junitparser.JUnitXml.fromstring(reports[cause, "junit"][1].encode())
        cases = [case for suite in xml for case in suite]
        kinds = [type(r).__name__ for case in cases for r in case.result]
        assert (xml.tests, xml.failures, xml.errors) == (len(cases), kinds.count("Failure"), kinds.count("Error"))
        counts[cause] = (xml.tests, xml.failures, xml.errors, xml.skipped)
    assert counts["holds"] == (3, 0, 0, 0)
    assert counts["violated"] == (3, 1, 0, 0)
    assert counts["undetermined"] == counts["allowed"] == (3, 0, 3, 0)
    assert counts["broken"] == (1, 0, 1, 0)
    assert counts["strict"] == (5, 1, 0, 0)
    assert counts["expected fault is missing"] == (4, 1, 0, 0)
    xml = junitparser.JUnitXml.fromstring(reports["race", "junit"][1].encode())
    (failure,) = [r for suite in xml for case in suite for r in case.result]
    assert "CPU0 adder[0]" in failure.text


def test_ktap_by_a_tap_parser(reports: dict[tuple[str, str], tuple[int, str]]) -> None:
    tap = pytest.importorskip("tap.parser", reason="not installed: pip install 'dio-mc[test]'")
    for cause, (_, _, code) in CAUSES.items():
        text = reports[cause, "ktap"][1]
        assert text.startswith("KTAP version 1\n1..1\n")
        outer = "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("  "))
        inner = textwrap.dedent("".join(f"{line}\n" for line in text.splitlines() if line.startswith("  ")))
        for part in filter(None, (outer, inner)):
            parsed = list(tap.Parser().parse_text(part.replace("KTAP version 1\n", "TAP version 13\n")))
            assert [entry for entry in parsed if entry.category == "unknown"] == []
            (plan,) = [entry for entry in parsed if entry.category == "plan"]
            tests = [entry for entry in parsed if entry.category == "test"]
            assert [t.number for t in tests] == list(range(1, plan.expected_tests + 1))
            assert not any(t.skip or t.todo for t in tests)
            if cause != "allowed":
                assert all(t.ok for t in tests) == (code == 0)
    assert "not ok 1 always # undetermined: stopped by --max-states 100" in reports["undetermined", "ktap"][1]


def test_github_commands(reports: dict[tuple[str, str], tuple[int, str]]) -> None:
    text = reports["race", "github"][1]
    line = RACE[: RACE.index("def nothing_lost")].count("\n") + 1
    assert f"\n::error file=m.py,line={line},title=nothing_lost (Race)::nothing_lost: violated in 4 steps" in text
    assert "CPU0 adder[0]" in text
    stop, token = re.match(r"::stop-commands::(\S+)\n", text).group(0, 1)
    assert text.count(f"\n::{token}::\n") == 1
    assert "\n::warning file=m.py,line=" in reports["undetermined", "github"][1]
    assert "::error file=m.py,line=7,title=DIO104::M has no attribute `m`" in reports["broken", "github"][1]
    assert stop


def test_a_model_cannot_speak_to_github(tmp_path: Path) -> None:
    text = VIOLATED.replace("Stays <small> & {plain}.", "::error::fake%0A\\n::warning file=x::y")
    write(tmp_path, m=text)
    out = dio_mc("check", "m.py", "--output-format", "github", cwd=tmp_path).stdout
    token = re.match(r"::stop-commands::(\S+)\n", out).group(1)
    spoken = out.partition(f"::{token}::\n")[2]
    assert [line[:8] for line in spoken.splitlines()] == ["::error "]
    assert "fake%250A" in spoken


def test_the_summary_of_a_github_step(tmp_path: Path) -> None:
    write(tmp_path, m=RACE)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    done = dio_mc("check", "m.py", "--output-format", "github", cwd=tmp_path, GITHUB_STEP_SUMMARY=str(summary))
    text = summary.read_text()
    assert done.returncode == 1
    assert text.startswith("before\n## dio-mc: violated\n")
    assert "| m.py Race | VIOLATED |" in text
    assert "```text\nnothing\\_lost" not in text
    assert "CPU0 adder[0]" in text
    assert "```mermaid\nsequenceDiagram\n" in text
    gone = dio_mc("check", "m.py", "--output-format", "github", cwd=tmp_path, GITHUB_STEP_SUMMARY="/no/such/folder/x")
    assert gone.returncode == 2
    assert "DIO207: /no/such/folder/x" in gone.stderr
    assert dio_mc("check", "m.py", cwd=tmp_path, GITHUB_STEP_SUMMARY=str(summary)).returncode == 1
    assert summary.read_text() == text


@pytest.mark.parametrize("form", FORMATS)
def test_stdout_and_the_file_say_the_same(form: str, tmp_path: Path) -> None:
    write(tmp_path, a=RACE, b=HOLDS, c=BIG)
    done = dio_mc("check", ".", "--max-states", "50", "--output-format", form, f"--report={form}=r/out", cwd=tmp_path)
    timeless = [re.sub(r'"seconds": [\d.]+', "", t) for t in (done.stdout, (tmp_path / "r" / "out").read_text())]
    assert timeless[0] == timeless[1]
    assert done.stderr == ""


def test_a_report_that_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path, m=HOLDS)
    (tmp_path / "file").write_text("in the way")
    done = dio_mc("check", "m.py", "--report", "sarif=file/x.sarif", "--report=junit=ok.xml", cwd=tmp_path)
    assert done.returncode == 2
    assert "HOLDS" in done.stdout
    assert "error DIO207: file/x.sarif: cannot be written" in done.stderr
    assert (tmp_path / "ok.xml").exists()


@pytest.mark.parametrize(
    ("option", "said"),
    [("sarf=x", "did you mean `sarif`?"), ("sarif", "no path for sarif"), ("=x", "is not a report format")],
)
def test_wrong_reports_are_refused_before_anything_runs(option: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, m=HOLDS)
    done = dio_mc("check", "m.py", "--report", option, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error DIO212: --report" in done.stderr
    assert said in done.stderr
