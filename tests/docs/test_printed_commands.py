"""Every command line that the program or a page prints is one: it is parsed by the real commands, and its files exist.

Collected are the blocks and the inline code of the pages, the strings of the source (hints, help texts), and what mails
say of shipped counterexamples and of a run of `outcomes`.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.render.lkml import render_lkml
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import open_registry, pair
from dio_mc.trace.codec import encode, read_trace

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "models").rglob("*.md")),
         *sorted((ROOT / "benchmarks").glob("*.md"))]  # fmt: skip
SOURCES = sorted((ROOT / "dio_mc").rglob("*.py"))
COMMAND = re.compile(r"(?:^|[\s(\"'`])(?:\.venv/bin/)?dio-mc ((?:[a-z]|--)[^`\n]*)")
INLINE = re.compile(r"`(?:\.venv/bin/)?dio-mc ([a-z-][^`]*)`", re.DOTALL)
ANYTHING = "\x00"
"""What stands for a value in a string that is made when it is printed."""


def in_page(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    for kind, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if kind == "sh" or (kind == "console" and line.startswith("$ ")):
                yield from COMMAND.findall(re.sub(r"\s#.*", "", line).removeprefix("$ "))
    yield from (" ".join(found.split()) for found in INLINE.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)))


def in_source(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if "dio-mc" not in text:
        return
    tree = ast.parse(text)
    inside = {id(v) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for v in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else ANYTHING for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            text = node.value
        else:
            continue
        inline = [" ".join(found.split()) for found in INLINE.findall(text)]
        yield from inline
        for line in INLINE.sub("", text).splitlines():
            yield from (told for told in COMMAND.findall(line) if told.split()[0] in cli.commands)


def words_of(line: str) -> list[str]:
    """The arguments: without what follows a pipe, a semicolon or two spaces, and what may be left out."""
    line = re.sub(r"\[([^\[\]]*)\]", r"\1", line.replace(" ... ", f" {ANYTHING} "))
    line = re.split(r"\s(?:&&|\|\||[|;>])\s?|\s{2,}|\s\.\.\.", line)[0]
    try:
        words = shlex.split(line)
    except ValueError:  # a quotation around the whole
        words = line.replace('"', "").replace("'", "").split()
    end = next((n for n, word in enumerate(words, start=1) if word.endswith(";")), len(words))
    return [word.rstrip(".,:;)") or word for word in words[:end]]


def filled(words: list[str], command: click.Command) -> list[str]:
    """A value where a placeholder or a list of alternatives stands."""
    types = {o: p.type for p in command.params for o in p.opts}
    choices = [p.type for p in command.params if isinstance(p, click.Argument) and isinstance(p.type, click.Choice)]
    found: list[str] = []
    for number, word in enumerate(words):
        kind = types.get(words[number - 1].partition("=")[0]) if number else None
        option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        kind = types.get(option, kind) if equals else kind or next(iter(choices), None)
        if ANYTHING in value or re.fullmatch(r"[A-Z][A-Z_]*", value) or ("|" in value and kind is not None):
            value = sample(value, kind)
        found.append(f"{option}{equals}{value}")
    return found


def sample(value: str, kind: click.ParamType | None) -> str:
    if "|" in value:
        return value.split("|")[0]
    if isinstance(kind, click.Choice):
        return str(kind.choices[0])
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return "1"
    return "x=1" if kind is not None and kind.name == "param" else "value"


def wrong(line: str, whole: bool = False) -> str:
    """What the real command says of a line; empty if it takes it. In prose a line may name an option without the rest,
    unless it is `whole`."""
    words = words_of(line)
    if words[0].startswith("-"):
        return "" if words[0] in ("--help", "--version", "-h") else f"no option {words[0]}"
    command = cli.commands.get(words[0])
    if command is None:
        return f"no command {words[0]}"
    arguments = filled(words[1:], command)
    if not arguments or {"--help", "-h"} & set(arguments):
        return ""  # the command by its name
    try:
        command.make_context(words[0], list(arguments))
    except (click.MissingParameter, click.BadOptionUsage) as error:
        return error.format_message() if whole or isinstance(error, click.NoSuchOption) else ""
    except click.ClickException as error:
        return error.format_message()
    except click.exceptions.Exit:
        return ""
    gone = [a for a in arguments if a.startswith(("models/", "counterexamples/")) and not list(ROOT.glob(a))]
    return f"no file {gone[0]}" if gone else ""


LINES = {
    **{f"{path.relative_to(ROOT)}": sorted(set(in_page(path))) for path in PAGES},
    **{f"{path.relative_to(ROOT)}": sorted(set(in_source(path))) for path in SOURCES},
}


@pytest.mark.parametrize("place", [place for place, lines in LINES.items() if lines])
def test_every_command_that_is_printed_is_one(place: str) -> None:
    assert {line: told for line in LINES[place] if (told := wrong(line))} == {}


def test_enough_is_found() -> None:
    found = [line for lines in LINES.values() for line in lines]
    assert len(found) > 150
    assert {words_of(line)[0] for line in found} >= set(cli.commands) - {"config", "completion"}


def test_what_is_no_command_is_noticed() -> None:
    assert wrong("chekc m.py") == "no command chekc"
    assert "No such option" in wrong("why t.json --fiel m.py")
    assert wrong("check models/seed/nowhere.py") == "no file models/seed/nowhere.py"
    assert "Missing option '--to'" in wrong("export m.py", whole=True)


def test_the_commands_of_mails_run(tmp_path: Path) -> None:
    """Of a shipped counterexample, and of a run that belongs to no class of a file."""
    registry = open_registry()
    (hole, *_) = outcomes(pair(registry, "direct_read", "mmap_store"), registry.rules["ext3_2_6_18"])
    assert hole.outcomes[0].trace is not None
    (tmp_path / "t.json").write_text(encode(hole.outcomes[0].trace))
    shown = [render_lkml(hole.outcomes[0].trace, path=str(tmp_path / "t.json"))]
    shown += [render_lkml(read_trace(path), path=str(path)) for path in sorted(ROOT.glob("counterexamples/*/*.json"))]
    lines = [line for text in shown for line in COMMAND.findall(re.sub(r"\\\n\s*", "", text))]
    assert len(lines) >= len(shown)
    assert {line: told for line in lines if (told := wrong(line, whole=True))} == {}
    for line in lines[:2]:
        assert CliRunner().invoke(cli, shlex.split(line)).exit_code in (0, 1), line


OWN = """\
from dio_mc.models.protocols.generic import Generic2005

class Mine(Generic2005, abstract=True):
    rule, since = "mine", 2026
"""


def test_the_commands_of_a_mail_about_ones_own_rule_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    written = ["outcomes", "direct_read,fsync", "--rule", "mine", "--file", "mine.py", "--traces", "t"]
    assert CliRunner().invoke(cli, written).exit_code == 0
    trace = next((tmp_path / "t").glob("*.json"))
    mail = CliRunner().invoke(cli, ["show", str(trace.relative_to(tmp_path)), "--format", "lkml"]).output
    lines = COMMAND.findall(re.sub(r"\\\n\s*", "", mail))
    assert [line.split()[0] for line in lines] == ["outcomes", "replay"]
    for line in [*lines, f"why {trace} --file mine.py"]:
        done = CliRunner().invoke(cli, shlex.split(line))
        assert done.exit_code == 0, (line, done.output)
    refused = CliRunner().invoke(cli, ["why", str(trace)])
    assert "name the file that has them with --file, or another folder of models with --models" in str(
        refused.exception
    )
