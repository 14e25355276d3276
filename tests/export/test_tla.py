"""A parser of TLA+ reads every module that is exported. No package index has TLC, which would be the better judge."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from dio_mc.checking.expectations import bindings_of
from dio_mc.export.tla import tla
from dio_mc.frontend import build, load_module

tree_sitter = pytest.importorskip("tree_sitter", reason="no tree-sitter: pip install 'dio-mc[dev]'")
grammar = pytest.importorskip("tree_sitter_tlaplus", reason="no tree-sitter-tlaplus: pip install 'dio-mc[dev]'")

ROOT = Path(__file__).resolve().parents[2]
FILES = [f for name in ("seed", "toys", "history") for f in sorted((ROOT / "models" / name).glob("*.py"))]


def parsed(text: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the grammar hands its pointer over as an int
        language = tree_sitter.Language(grammar.language())
    return tree_sitter.Parser(language).parse(text.encode()).root_node


def mistakes(node) -> list[str]:
    """Where the parser found no grammar, by line."""
    here = [f"{node.start_point[0] + 1}: {node.type}"] if node.type == "ERROR" or node.is_missing else []
    return here + [told for child in node.children if child.has_error or child.is_missing for told in mistakes(child)]


def named(node, kind: str) -> list[str]:
    """What the nodes of a kind, wherever they are, have as text."""
    here = [node.text.decode()] if node.type == kind else []
    return here + [text for child in node.children for text in named(child, kind)]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_module_parses(path: Path) -> None:
    for model in load_module(path, allow_empty=True).models:
        for params, _ in bindings_of(model, {}):
            root = parsed(tla(build(model, params).program))
            assert mistakes(root) == []
            assert [child.type for child in root.children][:1] == ["module"]


@pytest.mark.slow
def test_every_name_is_defined_once_and_before_its_use() -> None:
    for path in FILES[::5]:
        for model in load_module(path, allow_empty=True).models:
            check_names(tla(build(model, {}).program))


def check_names(text: str) -> None:
    root = parsed(text)
    (variables,) = named(root, "variable_declaration")
    declared = re.findall(r"\w+", variables)[1:]
    defined = [one.split(" ==")[0] for one in named(root, "operator_definition")]
    both = declared + defined
    assert len({*both}) == len(both)
    known = {*declared}
    for definition in named(root, "operator_definition"):
        name, _, body = definition.partition(" ==")
        used = set(named(parsed(f"---- MODULE M ----\nx =={body}\n===="), "identifier_ref"))
        assert used <= known, f"{name}: {used - known}"
        known.add(name)


@pytest.mark.parametrize(
    ("right", "wrong"), [(" == ", " = "), ("  /\\ ~fault\n", "  /\\ ~\n"), (">>", ">"), ("====\n", "")]
)
def test_the_parser_notices_a_mistake(right: str, wrong: str) -> None:
    text = tla(build(load_module(FILES[1]).models[0], {}).program)
    assert right in text
    assert mistakes(parsed(text.replace(right, wrong)))


def test_an_operator_without_its_operand_is_located() -> None:
    assert mistakes(parsed("---- MODULE M ----\nx == 1 +\n====\n")) != []
