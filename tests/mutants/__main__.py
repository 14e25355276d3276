"""``python -m tests.mutants [--only WORD] [--write]``: break the checker in every way listed, and see who notices.

Exit code 1 when something is not noticed. ``--write`` makes README.md of this folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .running import PROGRAMS, SEED, Noticed, copies, notice
from .texts import MUTANTS, Mutant

PAGE = Path(__file__).parent / "README.md"


def by_words(by: str | tuple[str, ...]) -> str:
    """What should notice."""
    return f"campaign, {by}" if isinstance(by, str) else ", ".join(by)


def line(mutant: Mutant, noticed: Noticed) -> str:
    """A row of the table."""
    what = noticed.by.replace("|", "\\|")[:110]
    return f"| {mutant.name} | `{mutant.file}` | {by_words(mutant.by)} | {what} |"


def known() -> dict[str, Noticed]:
    """What the page says of each breakage."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return {row[0]: Noticed(row[3].replace("\\|", "|")) for row in rows[1:]}


def table(ran: list[tuple[Mutant, Noticed]]) -> str:
    """The page: what ran now, and of the others what it said before."""
    found = known() | {mutant.name: noticed for mutant, noticed in ran}
    rows = [(mutant, found.get(mutant.name, Noticed("open"))) for mutant in MUTANTS]
    unseen = sum(noticed.by in ("-", "open") for _, noticed in rows)
    head = [
        "# The checker broken on purpose", "",
        f"`python -m tests.mutants --write`; {len(rows)} breakages, {unseen} of them not run to the end yet. Each is a text of one file,",
        "found there once and replaced (`texts.py`). A campaign compares random programs with the evaluator of their",
        f"source, and configurations with each other (`tests/fuzz`), seed {SEED}, at most {PROGRAMS} programs; what is told is",
        "the first program that showed a difference. CI breaks a few of them each time, others every day.", "",
        "| breakage | in dio_mc/ | noticed by | first |", "|---|---|---|---|",
    ]  # fmt: skip
    return "\n".join([*head, *(line(*row) for row in rows)]) + "\n"


def main() -> int:
    """Break and see."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="breakages whose name or file has this word in it")
    parser.add_argument("--part", default="1/1", help="2/3: every third breakage, from the second on")
    parser.add_argument("--name", help="the breakage of this name")
    parser.add_argument("--open", action="store_true", help="only those that the page does not show as noticed")
    parser.add_argument("--programs", type=int, default=PROGRAMS, help="programs of a campaign, at most")
    parser.add_argument(
        "--whole", action="store_true", help="first see that nothing is noticed of a copy that is whole"
    )
    parser.add_argument("--write", action="store_true", help="write the table, with those that ran")
    asked = parser.parse_args()
    rows: list[tuple[Mutant, Noticed]] = []
    seen = {name for name, noticed in known().items() if noticed.by not in ("-", "open")}
    with copies() as folder:
        if asked.whole:
            for by in dict.fromkeys(m.by for m in MUTANTS if isinstance(m.by, str)):
                print(f"whole, {by_words(by)}: {notice(None, folder, by, asked.programs).by}", flush=True)
        part, parts = map(int, asked.part.split("/"))
        for mutant in MUTANTS[part - 1 :: parts]:
            chosen = asked.name in (None, mutant.name) and (not asked.open or mutant.name not in seen)
            if chosen and (asked.only in mutant.name or asked.only in mutant.file):
                rows.append((mutant, notice(mutant, folder, mutant.by, asked.programs)))
                print(f"{line(*rows[-1])} {rows[-1][1].seconds:.0f} s", flush=True)
    unseen = [mutant.name for mutant, noticed in rows if noticed.by == "-"]
    print(f"{len(rows)} breakages, not noticed: {', '.join(unseen) or 'none'}")
    if asked.write:
        PAGE.write_text(table(rows))
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
