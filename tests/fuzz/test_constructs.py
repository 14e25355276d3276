"""Which generator makes which construct of the language; and that none of docs/language.md is left out.

A construct is named as docs/language.md spells it, and found in programs by a pattern. The table is checked both ways:
what it says a generator makes, that one makes, and nothing else.
"""

from __future__ import annotations

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest
from generate import program as first

from dio_mc import lang
from dio_mc.analysis.values.facts import find_facts
from dio_mc.engines.native.packing import pack
from dio_mc.frontend import build, load_module
from dio_mc.semantics.layout import layout_of

from .plain import plain
from .rich import rich

ROOT = Path(__file__).resolve().parents[2]
GENERATORS = {"first": first, "rich": rich, "plain": plain}
MADE = 400
"""Programs of each generator that are looked at."""
F, R, P = "first", "rich", "plain"
TABLE: dict[str, tuple[str, set[str]]] = {
    # data
    "x = Var(T, init=v)": (r"= Var\(.*init=(?!any)", {F, R, P}), "init=any": (r"init=any", {F, R, P}),
    "ghost=True": (r"ghost=True", {F, R}), "a = Array(T, size=n, init=v)": (r"Array\(Range.*size=", {F, R, P}),
    "size=(n, m)": (r"size=\(2, size\)", {F, R}), "init=[...]": (r"init=\[", {F, R}),
    "seen = PerThread(T)": (r"PerThread\(", {F, R, P}), "pages = Param(2, min=1, max=8)": (r"Param\(", {F, R, P}),
    "Param in bounds": (r"instances=n", {P}), "Param arithmetic": (r"size=n [+*]", {P}),
    "i_mutex = Mutex()": (r"= Mutex\(\)", {F, R, P}), "Array(PageLock)": (r"Array\(PageLock", {F, R}),
    "bool": (r"Var\(bool\)", {F, R, P}), "Enum": (r"Var\(Page\)", {F, R}), "Range(lo, hi)": (r"Range\(-", {F, R, P}),
    "range(n)": (r"Var\(range\(", {P}), "ThreadId": (r"Var\(ThreadId", {F, R, P}), "T | None": (r"\| None\)", {F, R, P}),
    "Optional[T]": (r"Optional\[", {P}), "record": (r"Var\(Rec\)", {F, R}), "record with an Array field": (r"Var\(Two\)", {F, R}),
    "union": (r"Var\(Some \| Nothing\)", {F, R}), "isinstance(x, C)": (r"isinstance\(", {F, R}),
    # threads and operations
    "@thread(instances=2)": (r"instances=2", {F, R, P}), "@thread(daemon=True)": (r"daemon=True", {F, R, P}),
    "instance number": (r"def t\d\(self, k\)", {F, R, P}), "@operation": (r"@operation\(", {F, R, P}),
    "kernel=": (r"@operation\(kernel=", {P}), "slots=2": (r"slots=", {F, R}), "depth=2": (r"@operation\(.*depth=", {F, R}), "me": (r"\bme\b", {F, R, P}),
    "an operation that calls itself": (r"def (get|put|later)\(.*\n(        .*\n)*        .*self\.\1\(", {F, R}),
    "super().op()": (r"super\(\)\.", {F, R}), "Base.op(self, i)": (r"\bBase\.\w+\(self", {R}),
    "abstract=True": (r"abstract=True", {F, R}), "pure method": (r"self\.idle\(\)", {F, R}),
    "call as a statement": (r"\n +self\.(get|put)\(", {F, R}), "call as a value": (r"= self\.(get|put)\(", {F, R}),
    "call after return": (r"return self\.(get|put)\(", {F, R}), "spawn(self.op, args)": (r"spawn\(self\.", {F, R}),
    "deadlock = False": (r"deadlock = False", {R}),
    # statements
    "a, b = b, a": (r"self\.x, self\.y = self\.y", {F, R}), "x, a[x] = ...": (r"self\.(\w), self\.\w+\[self\.\1\]", {R}),
    "a[x], x = ...": (r"self\.\w+\[self\.(\w)\](\.n)?, self\.\1 =", {R}), "i, a[i] = ...": (r"\n +(v\d+), self\.\w+\[\1\]", {R}),
    "augmented": (r" [+-]= ", {F, R}), "annotated": (r"v\d+: Range", {F, R}), "if": (r"\n +if ", {F, R, P}),
    "elif": (r"elif ", {F, R}), "while": (r"while (?!True)", {F, R}), "while True": (r"while True", {P}),
    "for i in range(...)": (r"for v\d+ in range\(", {F, R}), "for over a tuple": (r"for v\d+ in \(", {F, R}),
    "for over an Enum": (r"for v\d+ in Page:", {F, R}), "break": (r"break", {F, R, P}), "continue": (r"continue", {F, R, P}),
    "return in a branch": (r"if .*\n +return", {F, R}), "pass": (r"\n +pass", {F, R}),
    'assert cond, "message"': (r"assert .*, \"", {F, R}), "assert": (r"assert ", {F, R, P}),
    "unary +": (r"= \+self", {P}), "wait_until(cond)": (r"wait_until\(", {F, R, P}), "choose(a, b, c)": (r"choose\(\w+, ", {F, R, P}),
    "choose(range(n))": (r"choose\(range", {F, R, P}), "choose(SomeEnum)": (r"choose\(Page\)", {F, R}),
    "choose(i for i in range(n) if cond)": (r"choose\(\w for", {F, R, P}), "if choose(True, False):": (r"if choose\(", {F, R}),
    "with atomic(): ...": (r"with atomic\(\)", {F, R, P}), "@atomic()": (r"@atomic\(\)", {F, R}),
    "an atomic block that calls": (r"\n( *)with atomic\(\):\n(\1 .*\n)*\1 .*self\.(get|put)\(", {F, R}),
    'with window("mapped"): ...': (r"with window\(", {F, R}), "nested windows": (r"\n( *)with window.*\n(\1 .*\n)*\1 .*with window", {R}),
    "a window in an operation": (r"def (get|put)\(.*\n(        .*\n)*        .*with window", {R}),
    "a window left by return": (r"\n( *)with window.*\n(\1 .*\n)*\1 .*return", {R}),
    "a window left by break": (r"\n( *)with window.*\n(\1 .*\n)*\1 .*(break|continue)", {F, R}),
    # expressions
    "+": (r" \+ ", {F, R, P}), "-": (r" - ", {F, R, P}), "*": (r" \* ", {F, R, P}), "//": (r" // ", {F, R, P}), "%": (r" % ", {F, R, P}),
    "negative // and %": (r"\((0 - |-).* - \d\) (//|%)", {R}), "chained comparison": (r"0 <= .* < ", {F, R}),
    "in": (r"\bin \(Page", {F, R}), "not in": (r"not in \(", {F, R}), "and": (r" and ", {F, R, P}), "or": (r" or ", {F, R, P}),
    "not": (r"\bnot ", {F, R, P}), "a if c else b": (r" if .* else ", {F, R, P}), "all(...)": (r"\ball\(", {F, R, P}),
    "any(...)": (r"\bany\(", {F, R, P}), "sum(...)": (r"\bsum\(", {F, R, P}), "min": (r"\bmin\(", {F, R, P}), "max": (r"\bmax\(", {F, R, P}),
    "abs": (r"\babs\(", {F, R, P}), "len": (r"\blen\(", {F, R}),
    # locks
    "SpinLock": (r"= SpinLock\(", {F, R}), "RWSem": (r"= RWSem\(\)", {F, R, P}),
    "RWSem(writer_preference=True)": (r"writer_preference=True", {F, R}), "RangeLock(size=n)": (r"RangeLock\(", {F, R}),
    "DrainCounter(max=n)": (r"DrainCounter\(", {F, R, P}), "TwoClassLock": (r"TwoClassLock\(", {F, R, P}),
    ".lock": (r"\.lock\(", {F, R, P}), ".unlock": (r"\.unlock\(", {F, R, P}), ".trylock": (r"trylock\(\)", {F, R}),
    ".hand_over": (r"hand_over\(", {F, R}), ".unlock_non_owner": (r"unlock_non_owner\(", {F, R}),
    ".down_read": (r"down_read\(", {F, R, P}), ".up_read": (r"up_read\(", {F, R, P}), ".down_write": (r"down_write\(", {F, R, P}),
    ".up_write": (r"up_write\(", {F, R, P}), ".down_read_trylock": (r"down_read_trylock", {F, R}),
    ".down_write_trylock": (r"down_write_trylock", {F, R}), ".downgrade_write": (r"downgrade_write", {F, R}),
    ".up_read_non_owner": (r"up_read_non_owner", {F, R}), ".up_write_non_owner": (r"up_write_non_owner", {F, R}),
    ".begin": (r"\.begin\(", {F, R, P}), ".end": (r"\.end\(", {F, R, P}), ".wait": (r"\.wait\(", {F, R, P}),
    ".lock_buffered": (r"lock_buffered", {F, R, P}), ".unlock_buffered": (r"unlock_buffered", {F, R, P}),
    ".lock_direct": (r"lock_direct", {F, R, P}), ".unlock_direct": (r"unlock_direct", {F, R, P}),
    ".held_by": (r"held_by\(", {F, R, P}), ".is_locked": (r"is_locked\(", {F, R}),
    "crash()": (r"\n +crash\(\)", {F, R}), "durable": (r"durable = \(", {F, R}),
    # counts, waiting
    "AtomicInt(low=a, high=b)": (r"AtomicInt\(", {F, R}), "Refcount(max=n)": (r"Refcount\(", {F, R}), "FolioRefs": (r"FolioRefs\(", {F, R}),
    "Completion(max=n)": (r"Completion\(", {F, R}), "WaitQueue": (r"WaitQueue\(", {F, R}), "SeqCount": (r"SeqCount\(", {F, R}),
    "RCU": (r"RCU\(", {F, R}), "BoundedQueue(of=T, size=n)": (r"BoundedQueue\(of=", {F, R}), "at.set": (r"self\.at\.set\(", {F, R}),
    "at.add": (r"self\.at\.add\(", {F, R}), "at.inc": (r"self\.at\.inc\(", {F, R}), "at.dec": (r"self\.at\.dec\(", {F, R}),
    "at.inc_return": (r"self\.at\.inc_return\(", {F, R}), "at.dec_and_test": (r"self\.at\.dec_and_test\(", {F, R}),
    "at.inc_not_zero": (r"self\.at\.inc_not_zero\(", {F, R}), "at.xchg": (r"self\.at\.xchg\(", {F, R}),
    "at.cmpxchg": (r"self\.at\.cmpxchg\(", {F, R}), "at.read": (r"self\.at\.read\(", {F, R}),
    "rc.inc_not_zero": (r"self\.rc\.inc_not_zero\(", {F, R}), "rc.dec_and_test": (r"self\.rc\.dec_and_test\(", {F, R}),
    "rc.inc": (r"self\.rc\.inc\(", {F, R}), "rc.dec": (r"self\.rc\.dec\(", {F, R}), "rc.set": (r"self\.rc\.set\(", {F, R}),
    "fr.pin": (r"self\.fr\.pin\(", {F, R}), "fr.unpin": (r"self\.fr\.unpin\(", {F, R}), "fr.freeze": (r"self\.fr\.freeze\(", {F, R}),
    "fr.unfreeze": (r"self\.fr\.unfreeze\(", {F, R}), "fr.maybe_dma_pinned": (r"self\.fr\.maybe_dma_pinned\(", {F, R}),
    "co.complete": (r"self\.co\.complete\(", {F, R}), "co.complete_all": (r"self\.co\.complete_all\(", {F, R}),
    "co.wait_for_completion": (r"self\.co\.wait_for_completion\(", {F, R}),
    "co.wait_for_completion_killable": (r"self\.co\.wait_for_completion_killable\(", {F, R}),
    "co.try_wait_for_completion": (r"self\.co\.try_wait_for_completion\(", {F, R}),
    "co.reinit_completion": (r"self\.co\.reinit_completion\(", {F, R}), "co.completion_done": (r"self\.co\.completion_done\(", {F, R}),
    "wq.prepare_to_wait": (r"self\.wq\.prepare_to_wait\(", {F, R}), "wq.schedule": (r"self\.wq\.schedule\(", {F, R}),
    "wq.schedule_killable": (r"self\.wq\.schedule_killable\(", {F, R}), "wq.finish_wait": (r"self\.wq\.finish_wait\(", {F, R}),
    "wq.wake_up": (r"self\.wq\.wake_up\(", {F, R}), "wq.waitqueue_active": (r"self\.wq\.waitqueue_active\(", {F, R}),
    "sq.write_begin": (r"self\.sq\.write_begin\(", {F, R}), "sq.write_end": (r"self\.sq\.write_end\(", {F, R}),
    "sq.read_begin": (r"self\.sq\.read_begin\(", {F, R}), "sq.read_retry": (r"self\.sq\.read_retry\(", {F, R}),
    "ru.rcu_read_lock": (r"self\.ru\.rcu_read_lock\(", {F, R}), "ru.rcu_read_unlock": (r"self\.ru\.rcu_read_unlock\(", {F, R}),
    "ru.synchronize_rcu": (r"self\.ru\.synchronize_rcu\(", {F, R}), "bq.put": (r"self\.bq\.put\(", {F, R}),
    "bq.try_put": (r"self\.bq\.try_put\(", {F, R}), "bq.get": (r"self\.bq\.get\(", {F, R}), "bq.take": (r"self\.bq\.take\(", {F, R}),
    "bq.is_empty": (r"self\.bq\.is_empty\(", {F, R}), "bq.is_full": (r"self\.bq\.is_full\(", {F, R}),
    ".lock_killable": (r"\.lock_killable\(", {F, R}), ".down_read_killable": (r"\.down_read_killable\(", {F, R}),
    ".down_write_killable": (r"\.down_write_killable\(", {F, R}), ".trylock_buffered": (r"\.trylock_buffered\(", {F, R}),
    ".trylock_direct": (r"\.trylock_direct\(", {F, R}), ".unlock_buffered_non_owner": (r"\.unlock_buffered_non_owner\(", {F, R}),
    ".unlock_direct_non_owner": (r"\.unlock_direct_non_owner\(", {F, R}), "RangeLock.trylock": (r"\.rl\.trylock\(", {F, R}),
    "SpinLock.trylock": (r"\.sp\.trylock\(", {F, R}), "TwoClassLock.hand_over": (r"\.tc\.hand_over\(", {F, R}),
    # properties
    "@invariant": (r"@invariant\n.*\(self\)", {R, P}), "a step": (r"@invariant\n.*\(self, after\)", {R, P}),
    "@reachable": (r"@reachable", {R, P}), "@always_reachable": (r"@always_reachable", {R, P}), "@progress": (r"@progress\n", {R, P}),
    '@progress(fairness="strong")': (r"fairness=\"strong\"", {R, P}), 'self.inside("window")': (r"self\.inside\(\"", {R}),
    'self.inside("window", arg=value)': (r"inside\(\"\w\", \w=", {R}), "self.inside(self.op)": (r"self\.inside\(self\.\w+\)", {R, P}),
    "self.inside(self.op, arg=value)": (r"inside\(self\.\w+, ", {R, P}), "after.inside": (r"after\.inside", {R, P}),
    "self.finished(self.reader)": (r"self\.finished\(", {R, P}), "self.at_rest()": (r"self\.at_rest\(", {R, P}),
    "lock.held_by(t)": (r"\.held_by\(t\)", {R, P}), "threads()": (r"in threads\(\)", {R, P}),
    "threads(self.reader)": (r"threads\(self\.", {R, P}), "Implies": (r"Implies\(", {R, P}), "And": (r"[ (]And\(", {R, P}),
    "Or": (r"[ (]Or\(", {R, P}), "Not": (r"\bNot\(", {R, P}), "If": (r"\bIf\(", {R, P}), "Xor": (r"Xor\(", {R, P}),
    "more than 128 bits": (r"far = Array\(Range\(.*, 1073741823\), size=5", {P}),
}  # fmt: skip
WEAK = "tests/oracle/generate_weak.py makes them"
LEFT_OUT = {
    **dict.fromkeys(("smp_mb", "smp_wmb", "smp_rmb", "smp_store_release", "smp_load_acquire"), WEAK),
    **dict.fromkeys(("ordering", "memory_model", "store_buffer"), WEAK),
    "Model": "every program is one",
    "Part": "what locks are made of; the locks of the library are called",
    "require": "only in lock classes; the locks of the library use it",
    "expect": "says nothing about a program",
    "Kernel": "part of what `expect` says",
    "anchors": "kernel functions of inherited operations: names, no steps",
    "operation": "@operation",
    "thread": "@thread",
}


OFTEN: dict[str, tuple[str, tuple[str, ...], int]] = {
    "symmetric instances, with properties": (
        P,
        (r"instances=n\b", r"@(invariant|reachable|progress|always_reachable)"),
        200,
    ),
    "negative // and %": (R, (TABLE["negative // and %"][0],), 200),
    "an index of shared state that its own statement changes": (
        R,
        (r"(self\.\w), self\.\w+\[\1\]|\[(self\.\w)\](\.n)?, \2 =",),
        30,
    ),
    "an index of a local that its own statement changes": (R, (r"(v\d+), self\.\w+\[\1\]|\[(v\d+)\](\.n)?, \2 =",), 30),
    "nested windows": (R, (TABLE["nested windows"][0],), 25),
    "a window left by return": (R, (TABLE["a window left by return"][0],), 100),
    "a window left by break": (R, (TABLE["a window left by break"][0],), 15),
    "Base.op(self) of an operation that is called": (R, (r"(?s)Base\.(\w+)\(self.*def t0.*self\.\1\(",), 8),
    "what is asked of a window has arguments": (R, (TABLE['self.inside("window", arg=value)'][0],), 8),
    "what is asked of an operation has arguments": (R, (TABLE["self.inside(self.op, arg=value)"][0],), 10),
}
"""Constructs that are easily left out: patterns, all of which so many of the programs of a generator have at least."""


@cache
def programs(generator: str) -> tuple[str, ...]:
    """The programs of a generator, without the import of words that they may not use."""
    made = (GENERATORS[generator](seed) for seed in range(MADE))
    return tuple(re.sub(r"from z3 import.*\n", "", text) for text in made)


@cache
def texts(generator: str) -> str:
    """All of them."""
    return "\n\n\n".join(programs(generator))


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_generator_makes_what_the_table_says(generator: str) -> None:
    found = {name for name, (pattern, _) in TABLE.items() if re.search(pattern, texts(generator))}
    said = {name for name, (_, makers) in TABLE.items() if generator in makers}
    assert {"made, but not in the table": found - said, "in the table, but not made": said - found} == {
        "made, but not in the table": set(), "in the table, but not made": set(),
    }  # fmt: skip


@pytest.mark.parametrize("name", OFTEN)
def test_some_constructs_are_made_often(name: str) -> None:
    generator, patterns, least = OFTEN[name]
    found = sum(all(re.search(one, text) for one in patterns) for text in programs(generator))
    print(f"{name}: {found} of {MADE}")
    assert found >= least


def test_states_are_wider_than_one_word_and_than_two(tmp_path: Path) -> None:
    """Of machine code, which leaves out cells that never change: 64 bits a word."""
    words: dict[int, int] = {}
    wide = [text for text in map(plain, range(MADE)) if "    far = " in text]
    for number, text in enumerate(wide):
        (tmp_path / f"m{number}.py").write_text(text)
        program = build(load_module(tmp_path / f"m{number}.py").models[-1]).program
        layout = layout_of(program)
        found = pack(program, layout, find_facts(program, layout)).words
        words[found] = words.get(found, 0) + 1
    print(f"{len(wide)} of {MADE}: programs by words of a state {words}")
    assert sum(count for one, count in words.items() if one > 1) >= 15
    assert sum(count for one, count in words.items() if one > 2) >= 6


def test_every_word_of_the_language_is_made() -> None:
    everything = "\n".join(texts(generator) for generator in GENERATORS)
    words = {word for word in lang.__all__ if word not in LEFT_OUT}
    words |= {n for c in (lang.Model,) for n in vars(c) if not n.startswith("_") and n != "declarations"}
    locks = [one for one in vars(lang).values() if inspect.isclass(one) and issubclass(one, lang.Part)]
    words |= {n for c in locks for n, f in vars(c).items() if inspect.isfunction(f) and not n.startswith("_")}
    words -= {
        "declarations",
        "read_blocked",
        "write_blocked",
        "buffered_blocked",
        "direct_blocked",
    }  # of a lock itself alone
    for made in (lang.Var, lang.Array, lang.PerThread, lang.Param, lang.thread, lang.operation, lang.progress):
        words |= {p.name for p in inspect.signature(made).parameters.values() if p.kind is p.KEYWORD_ONLY}
    words -= set(LEFT_OUT)
    assert [word for word in sorted(words) if not re.search(rf"\b{word}\b", everything)] == []


def test_every_row_of_the_tables_is_made() -> None:
    """The first cell of each row, in the tables of data and of statements, is a construct of ours."""
    page = (ROOT / "docs" / "language.md").read_text()
    rows = re.findall(r"^\| `([^`]+)`.*\|$", page[: page.index("## Properties")], re.MULTILINE)
    spelled = {re.sub(r"\s", "", name) for name in TABLE} | {'require(cond,"message")', "x=choose(a,b,c)"}
    starts = {re.split(r"[;(]", one)[0] for one in spelled}
    assert len(rows) > 10
    assert [row for row in rows if re.split(r"[;(]", re.sub(r"\s", "", row))[0] not in starts] == []


REFUSED = {
    "Slice", "Div", "Pow", "LShift", "RShift", "BitOr", "BitAnd", "BitXor", "MatMult", "Starred", "Lambda", "NamedExpr",
    "AsyncFunctionDef", "ClassDef", "FunctionDef", "JoinedStr", "DictComp", "SetComp", "List", "Set", "ListComp", "Dict", "Import",
}  # fmt: skip
"""Kinds of syntax that the frontend names in order to refuse them, or to find functions and modules."""


def test_every_kind_of_syntax_that_is_compiled_is_made() -> None:
    named = {
        name
        for path in (ROOT / "dio_mc" / "frontend").glob("*.py")
        for name in re.findall(r"\bast\.([A-Z]\w+)", path.read_text())
        if issubclass(getattr(ast, name), ast.stmt | ast.expr | ast.operator | ast.cmpop | ast.boolop | ast.unaryop)
    }
    made = {
        type(node).__name__
        for make in GENERATORS.values()
        for seed in range(60)
        for node in ast.walk(ast.parse(make(seed)))
    }
    abstract = {"stmt", "expr", "operator", "cmpop", "boolop", "unaryop"}
    assert sorted(named - made - REFUSED - abstract) == []
