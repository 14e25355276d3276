"""The shipped classes that hold for any number of every thread: ``python benchmarks/any_number.py``
writes ANYNUMBER.md beside this file. It takes minutes; the instances that explain an alarm take
most of them."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from dio_mc.checking.driver import Options, Wanted
from dio_mc.checking.expectations import expectation_for
from dio_mc.checking.general import check_any_number
from dio_mc.checking.results import AnyNumber
from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module
from dio_mc.lang.model import Model

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Any number of every thread

<!-- Written by benchmarks/any_number.py. -->

`dio-mc check FILE --model CLASS --any all` for every shipped class that holds, with default parameters; "any pages" if
the number of pages is arbitrary too. "Violated with 2" is a violation of the instance with two of each thread. An alarm
is something that views do not exclude and no instance with up to so many of each shows. Views do not cover deadlock: a
class that waits for something that happens once is proved except for deadlock, which two waiters show.

"""


def row_of(model: type[Model]) -> tuple[str, str, str]:
    """The result in a word, the number of views, and the reason."""
    try:
        report = check_any_number(model, {}, Wanted(("all",)), Options())
    except ModelError as error:
        return "refused", error.diagnostics[0].message, ""
    found = report.any_number
    assert found is not None
    views = f"{found.views:,}" if found.views else ""
    return *_reason(found, report.model.partition("@")[2]), views


def _reason(found: AnyNumber, numbers: str) -> tuple[str, str]:
    if found.verdict == "HOLDS":
        pages = () if found.pages is None else (f"any {found.pages}",)
        three = " (by views of three threads)" if found.of == 3 else ""
        return "proved", ", ".join((*found.threads, *pages)) + three
    uncovered = [name for name in found.violated if name.split("@")[0] in found.uncovered]
    if found.violated and len(uncovered) == len(found.violated) and not (found.alarms or found.unfit):
        return f"proved, but for {', '.join(uncovered)} with {numbers.rpartition('=')[2]}", ", ".join(found.threads)
    if found.violated:
        return f"violated with {numbers.rpartition('=')[2]}", ", ".join(found.violated)
    if found.stopped is not None:
        return "stopped", found.stopped
    if not found.views:
        return "refused", f"{found.refused[0].code}: {found.refused[0].message}"
    most = max(found.instances, default=0)
    names = ", ".join((*found.alarms, *found.unfit))
    return "alarm", f"{names} (instances with up to {most} of each do not)"


def _group(word: str) -> str:
    if word.startswith("proved,"):
        return "proved, but for what views do not cover"
    return "violated in an instance with up to three of each" if word.startswith("violated") else word


def main() -> None:
    """Write the table."""
    rows: list[str] = []
    counts: Counter[str] = Counter()
    for path in (p for folder in ("seed", "history", "toys") for p in sorted((ROOT / "models" / folder).glob("*.py"))):
        for model in load_module(str(path), allow_empty=True).models:
            stated = expectation_for(model, {})
            if stated is None or stated.violates:
                continue
            word, reason, views = row_of(model)
            counts[_group(word)] += 1
            rows.append(f"| {path.stem} | {model.__name__} | {word} | {views} | {reason} |")
            print(rows[-1], file=sys.stderr, flush=True)
    listed = "; ".join(f"{number} {word}" for word, number in counts.most_common())
    table = ["| file | class | | views | threads, or why not |", "| --- | --- | --- | ---: | --- |", *rows]
    text = f"{HEAD}{sum(counts.values())} classes: {listed}.\n\n" + "\n".join(table) + "\n"
    (Path(__file__).parent / "ANYNUMBER.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
