"""The report as JUnit XML: a test suite per run, a test case per property.

A violated property is a ``<failure>`` with the diagram as its text; an undetermined one and a model that cannot be
built are ``<error>``, never ``<skipped>``, since a skipped test does not turn a build red.
"""

from __future__ import annotations

from xml.etree import ElementTree

from dio_mc.checking.results import Failure, Report
from dio_mc.render.text import render_text
from dio_mc.report.batch import Batch, Case
from dio_mc.wording import without_control


def report_junit(batch: Batch) -> str:
    """The document; without times, so that equal input gives equal bytes."""
    root = ElementTree.Element("testsuites", name="dio-mc")
    for entry in batch.entries:
        _broken(root, entry) if isinstance(entry, Failure) else _suite(root, entry, batch.cases(entry))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    root.set("skipped", "0")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: ElementTree.Element, report: Report, cases: tuple[Case, ...]) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name=without_control(f"{report.file} {report.model}"))
    _count(suite, len(cases), sum(c.status == "fail" for c in cases), sum(c.status == "undetermined" for c in cases))
    listed = ElementTree.SubElement(suite, "properties")
    facts = {"verdict": report.verdict, "complete": str(report.complete).lower(), "states": report.states}
    facts |= {"depth": report.depth, "engine": report.engine, **{f"param.{n}": v for n, v in report.params.items()}}
    facts |= {"reductions": " ".join(report.reductions)} if report.reductions else {}
    for name, value in facts.items():
        ElementTree.SubElement(listed, "property", name=name, value=str(value))
    for case in cases:
        _case(suite, report, case)


def _count(suite: ElementTree.Element, tests: int, failures: int, errors: int) -> None:
    for name, number in (("tests", tests), ("failures", failures), ("errors", errors), ("skipped", 0)):
        suite.set(name, str(number))


def _case(suite: ElementTree.Element, report: Report, case: Case) -> None:
    element = ElementTree.SubElement(suite, "testcase", name=without_control(case.name), classname=_class(report))
    if case.where is not None:
        element.set("file", case.where.file)
        element.set("line", str(case.where.line))
    if case.status == "pass":
        return
    tag = "failure" if case.status == "fail" else "error"
    problem = ElementTree.SubElement(element, tag, message=without_control(case.message), type=case.verdict)
    problem.text = without_control("\n" + render_text(case.trace, model=True) + "\n" if case.trace else case.message)


def _class(report: Report) -> str:
    """``models.seed.ext3.Ext3@pages=2``: dashboards group by the text before the last dot."""
    return without_control(report.file.removesuffix(".py").lstrip("/").replace("/", ".") + "." + report.model)


def _broken(root: ElementTree.Element, failure: Failure) -> None:
    name = f"{failure.file} {failure.model}".strip()
    suite = ElementTree.SubElement(root, "testsuite", name=without_control(name))
    _count(suite, 1, 0, 1)
    element = ElementTree.SubElement(suite, "testcase", name="can be checked", classname=without_control(failure.file))
    head, *_ = failure.text.splitlines() or [""]
    problem = ElementTree.SubElement(element, "error", message=without_control(head), type="ERROR")
    problem.text = without_control(failure.text)
