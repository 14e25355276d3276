"""The report as SARIF 2.1.0, for code scanning services.

Only problems are results: violated properties that no file expects, undetermined properties, model errors, findings.
Rule ids are stable: ``DIO-INV/<property>``, a fault by its kind, ``DIO...`` for diagnostics. A fingerprint is computed
from the property and the actions of the counterexample by name, so that it survives edits elsewhere and other state
values.

UNDETERMINED is kind ``fail`` with level ``warning``: for any other kind the standard requires level ``none``, and
services would not display it.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from dio_mc import __version__
from dio_mc.catalogue import PAGES
from dio_mc.checking.results import Failure, Finding, Report
from dio_mc.errors import Diagnostic
from dio_mc.report.batch import Batch, Case, place_of
from dio_mc.report.sarif_flow import code_flow, fingerprint, message_text, physical
from dio_mc.trace.trace import Place
from dio_mc.wording import one_line

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 25_000
"""The limit of code scanning services per run."""


def report_sarif(batch: Batch) -> str:
    """The log, with one run."""
    results = [r for entry in batch.entries for r in _results(entry, batch)]
    kept = results[:MOST_RESULTS]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "dio-mc", "version": __version__, "rules": _rules(kept)}},
        "automationDetails": {"id": "dio-mc/"},
        "invocations": [_invocation(batch, len(results) - len(kept))],
        "columnKind": "unicodeCodePoints",
        "results": [_public(result) for result in kept],
        "properties": {"models": [_facts(report) for report in batch.reports]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _invocation(batch: Batch, cut: int) -> dict[str, Any]:
    notices = (
        [{"level": "warning", "message": {"text": f"{cut} results left out, {MOST_RESULTS} are kept"}}] if cut else []
    )
    done = not any(f.exit_code for f in batch.failures)
    return {"executionSuccessful": done, "exitCode": batch.exit_code, "toolExecutionNotifications": notices}


def _facts(report: Report) -> dict[str, Any]:
    """The scope of a verdict: how much was covered."""
    facts = {"model": report.model, "file": report.file, "verdict": report.verdict, "complete": report.complete}
    facts |= {"reductions": list(report.reductions)} if report.reductions else {}
    return {**facts, "states": report.states, "depth": report.depth, "properties": len(report.properties)}


def _results(entry: Report | Failure, batch: Batch) -> list[dict[str, Any]]:
    if isinstance(entry, Failure):
        return [_diagnostic(entry, d) for d in entry.diagnostics] or [_diagnostic(entry, None)]
    cases = [c for c in batch.cases(entry) if c.status != "pass" and c.kind != "finding"]
    results = [_case(entry, c) for c in cases]
    return results + [_finding(entry, f, "error" if batch.strict else "warning") for f in entry.findings]


def _case(report: Report, case: Case) -> dict[str, Any]:
    level = "warning" if case.status == "undetermined" else "error"
    rule = f"DIO-INV/{case.name.split('@')[0]}"
    result = _result(rule, level, f"{case.name} ({report.model}): {case.message}", case.where or report.where)
    result["rule_text"] = one_line(case.doc) or case.name.split("@")[0]
    result["partialFingerprints"] = {"dioMcActions/v1": fingerprint(report, case)}
    result["properties"] = {"verdict": case.verdict, "model": report.model}
    if case.trace is not None and case.trace.steps:
        result["codeFlows"] = [code_flow(case.trace)]
    return result


def _finding(report: Report, finding: Finding, level: str) -> dict[str, Any]:
    result = _result(finding.code, level, finding.message, place_of(finding.where) or report.where)
    result["partialFingerprints"] = {"dioMcFinding/v1": _digest(finding.code, report.model, finding.message)}
    return result


def _diagnostic(failure: Failure, diagnostic: Diagnostic | None) -> dict[str, Any]:
    if diagnostic is None:
        return _result("DIO900", "error", failure.text, Place(failure.file, 1) if failure.file else None)
    place = place_of(str(diagnostic.span)) if diagnostic.span else None
    file = diagnostic.file or failure.file
    text = f"{diagnostic.message}\n{diagnostic.hint}".strip()
    result = _result(diagnostic.code, "error", text, place or (Place(file, 1) if file else None))
    result["partialFingerprints"] = {"dioMcDiagnostic/v1": _digest(diagnostic.code, file, diagnostic.message)}
    return result


def _result(rule: str, level: str, text: str, place: Place | None) -> dict[str, Any]:
    located = [{"physicalLocation": physical(place)}] if place is not None and place.file else []
    message = {"text": message_text(text)}
    return {"ruleId": rule, "kind": "fail", "level": level, "message": message, "locations": located}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _rules(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One rule per id, in order of first use; the results get their rule's index."""
    rules: dict[str, dict[str, Any]] = {}
    for result in results:
        rule = result["ruleId"]
        if rule not in rules:
            text = message_text(result.get("rule_text") or _title(rule))
            described = {"text": _help(rule)}
            rules[rule] = {
                "id": rule, "shortDescription": {"text": text}, "fullDescription": described, "help": described,
            }  # fmt: skip
        result["ruleIndex"] = list(rules).index(rule)
    return list(rules.values())


def _public(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "rule_text"}


def _title(rule: str) -> str:
    page = PAGES.get(rule)
    return page.title if page else rule


def _help(rule: str) -> str:
    page = PAGES.get(rule)
    return message_text(page.text if page else "A property of the model; its counterexample is the code flow.")
