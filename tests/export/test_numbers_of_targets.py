"""Numbers that a target does not have are refused, each with the place that needs them."""

from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.export.murphi import murphi
from dio_mc.export.promela import promela
from dio_mc.export.tla import tla
from dio_mc.frontend import build, load_module

MODEL = """
from dio_mc import Model, Range, Var, choose, invariant, thread

class M(Model):
    x = Var({range})
    y = Var(Range(0, 10))

    @thread
    def t(self):
        self.x = {value}
        self.y = 5 if {test} else 1

    @invariant
    def p(self):
        return {asked}
"""
USUAL = {
    "range": "Range(0, 100000)",
    "value": "choose(90000, 100000)",
    "test": "self.x > 95000",
    "asked": "self.y != 9",
}
HINT = "give the variables in it a smaller Range"


def program(folder: Path, **parts: str):
    (folder / "m.py").write_text(MODEL.format(**{**USUAL, **parts}))
    return build(load_module(folder / "m.py").models[0]).program


def refusal(export, made) -> tuple[str, str, int]:
    with pytest.raises(ModelError) as caught:
        export(made)
    (told,) = caught.value.diagnostics
    assert told.code == "DIO241"
    return told.message, told.hint, told.span.line


@pytest.mark.parametrize(
    ("parts", "what", "line"),
    [
        ({"range": "Range(8589934592, 8589934600)", "value": "8589934593"}, "`x`", 5),
        ({"test": "self.x * self.x > 5000000000"}, "this step", 11),
        ({"test": "self.x * self.x * self.x % 7 == 1"}, "this step", 11),
        ({"asked": "self.x * self.x != 5"}, "`p`", 14),
        ({"asked": "self.x < 5000000000"}, "`p`", 14),
    ],
)
def test_what_does_not_fit_into_32_bits(parts: dict[str, str], what: str, line: int, tmp_path: Path) -> None:
    made = program(tmp_path, **parts)
    for export, name in ((promela, "SPIN"), (tla, "TLC")):
        message = f"{what} may need a number beyond 2^30, and {name} computes with 32 bits: it cannot be exported"
        assert refusal(export, made) == (message, HINT, line)
    assert murphi(made)


def test_what_does_not_fit_into_64_bits(tmp_path: Path) -> None:
    made = program(tmp_path, test="self.x * self.x * self.x * self.x % 7 == 1")
    message = "this step may need a number beyond 2^62, and Rumur computes with 64 bits: it cannot be exported"
    assert refusal(murphi, made) == (message, HINT, 11)


def test_what_fits_is_written(tmp_path: Path) -> None:
    made = program(tmp_path, test="self.x * 10000 > 999999999")
    assert all(export(made) for export in (promela, murphi, tla))
