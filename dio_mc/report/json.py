"""The report as JSON, versioned. Identical for identical input but for `seconds`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dio_mc.driver import Report
from dio_mc.report.artifacts import safe_name
from dio_mc.report.words import stem_of

SCHEMA = "dio-mc/report/1"


def report_json(reports: Sequence[Report], *, folder: str | None, exit_code: int) -> str:
    """All reports of a run; `folder` is where counterexamples were written, if they were."""
    document = {
        "schema": SCHEMA,
        "exit_code": exit_code,
        "models": [_model(report, folder) for report in reports],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _model(report: Report, folder: str | None) -> dict[str, Any]:
    return {
        "model": report.model,
        "file": report.file,
        "verdict": report.verdict,
        "complete": report.complete,
        "states": report.states,
        "transitions": report.transitions,
        "depth": report.depth,
        "seconds": round(report.seconds, 3),
        "params": report.params,
        "engine": report.engine,
        "properties": [
            {"name": p.name, "kind": p.kind, "verdict": p.verdict, "vacuous": p.vacuous, "note": p.note}
            for p in report.properties
        ],
        "violations": [
            {
                "property": violation.property,
                "steps": len(violation.schedule),
                "switches": violation.switches,
                "trace": f"{folder}/{stem_of(report)}/{safe_name(violation.property)}.json" if folder else None,
            }
            for violation in report.violations
        ],
        "findings": [{"code": f.code, "message": f.message, "where": f.where} for f in report.findings],
        "expected": report.expected,
        "expectation": report.expectation,
        "stopped": report.stopped,
        "open": report.open,
    }
