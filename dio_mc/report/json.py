"""The report as versioned JSON. Equal input gives equal output, except for `seconds`.

`report_json` is one document; `report_jsonl` has one line per model and per failure, and a summary at the end.
"""

from __future__ import annotations

import json
from typing import Any

from dio_mc.checking.results import Failure, Report
from dio_mc.files import safe_name
from dio_mc.report.batch import Batch

SCHEMA = "dio-mc/report/1"


def report_json(batch: Batch) -> str:
    """All reports of a run. Files and classes that could not be checked are in `errors`, which is absent if there are
    none."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "exit_code": batch.exit_code,
        "models": [_model(report, batch.place(report)) for report in batch.reports],
    }
    if batch.failures:
        document["errors"] = [_failure(failure) for failure in batch.failures]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def report_jsonl(batch: Batch) -> str:
    """Lines ``{"type": "model", ...}``, ``{"type": "error", ...}`` and finally ``{"type": "summary", ...}``."""
    lines: list[dict[str, Any]] = [
        {"type": "error", **_failure(e)} if isinstance(e, Failure) else {"type": "model", **_model(e, batch.place(e))}
        for e in batch.entries
    ]
    summary = {"models": len(batch.reports), "errors": len(batch.failures), "exit_code": batch.exit_code}
    lines.append({"type": "summary", "schema": SCHEMA, **summary})
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _failure(failure: Failure) -> dict[str, Any]:
    diagnostics = [
        {
            "code": d.code,
            "message": d.message,
            "file": str(d.span).rpartition(":")[0] if d.span else d.file,
            "line": d.span.line if d.span else None,
            "hint": d.hint,
        }
        for d in failure.diagnostics
    ]
    return {
        "file": failure.file,
        "model": failure.model or None,
        "exit_code": failure.exit_code,
        "message": failure.text,
        "diagnostics": diagnostics,
    }


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
        "reductions": list(report.reductions),
        "properties": [
            {"name": p.name, "kind": p.kind, "verdict": p.verdict, "vacuous": p.vacuous, "note": p.note}
            for p in report.properties
        ],
        "violations": [
            {
                "property": violation.property,
                "steps": len(violation.schedule),
                "switches": violation.switches,
                "canonical": violation.canonical,
                "trace": f"{folder}/{safe_name(violation.property)}.json" if folder else None,
            }
            for violation in report.violations
        ],
        "findings": [{"code": f.code, "message": f.message, "where": f.where} for f in report.findings],
        "expected": report.expected,
        "expectation": report.expectation,
        "stopped": None if report.stopped is None else str(report.stopped),
        "open": report.open,
        "notes": list(report.notes),
        **_any_number(report),
    }


def _any_number(report: Report) -> dict[str, Any]:
    """The result for any number of threads; absent if it was not requested."""
    found = report.any_number
    if found is None:
        return {}
    fields = {
        "threads": list(found.threads),
        "pages": found.pages,
        "verdict": found.verdict,
        "proved": list(found.proved),
        "alarms": list(found.alarms),
        "not_covered": list(found.uncovered),
        "with": list(found.others),
        "violated": list(found.violated),
        "unfit": list(found.unfit),
        "views": found.views,
        "threads_in_a_view": found.of,
        "steps": found.steps,
        "instances": list(found.instances),
        "stopped": found.stopped,
    }
    return {"any_number": fields}
