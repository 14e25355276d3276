"""What is wrong at the end of a trace, in full sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dio_mc.render.blocked import blocked, cycle, reason
from dio_mc.render.pseudo import awaited, fault_text
from dio_mc.render.scene import cpu_of, held_at, last_writers, wrong_cells
from dio_mc.render.statement import printable, short
from dio_mc.render.values import c_word
from dio_mc.trace.trace import Trace, Waiting

_MOST = 3


def closing(trace: Trace) -> list[str]:
    """The sentences that end a diagram: which rule is broken, by which values, and who wrote them."""
    fault = trace.final_fault
    if fault is not None:
        return [_sentence(f"{_actor(trace)} goes wrong here ({fault.kind}): {_faulty(trace)}")]
    if trace.property_kind == "deadlock":
        return list(_stuck(trace))
    if trace.property_kind in ("progress", "always_reachable"):
        return [printable(_rule(trace)), *_lasting(trace)]
    sentences = [_rule(trace), *_values(trace)]
    return [printable(sentence) for sentence in sentences if sentence]


def _faulty(trace: Trace) -> str:
    """The message of the fault at the end."""
    if not trace.steps or trace.steps[-1].fault is None:
        return short(trace.final_fault.message if trace.final_fault is not None else "")
    states = list(trace.states())
    return fault_text(trace.steps[-1], states[len(trace.steps) - 1], dict(trace.model.params))


_OWNED = re.compile(r"(?P<lock>.+)\.(?:owner|writer)(?P<index>\[\d+\])?")
"""The cell of a lock that says who holds it."""


def rule_words(trace: Trace) -> str:
    """The rule: its name as words, followed by the first paragraph of its documentation."""
    name = trace.property.replace("_", " ")
    doc = " ".join(trace.doc.split("\n\n")[0].split()).rstrip(".")
    if doc.startswith("..."):
        return f"{name} {doc.removeprefix('...').strip()}"
    return f"{name}: {doc}" if doc else name


def _rule(trace: Trace) -> str:
    if trace.kind == "witness":
        return _sentence(f'This can happen: "{rule_words(trace)}"')
    return _sentence(f'This breaks the rule "{rule_words(trace)}"')


def _values(trace: Trace) -> Iterator[str]:
    """The values at the end, the last one written first, each with its writer."""
    wrong, writers = wrong_cells(trace), last_writers(trace)
    roles = {cell.name: cell.role for cell in trace.initial}
    for cell, value in sorted(wrong.items(), key=lambda one: -writers.get(one[0], 0))[:_MOST]:
        number = writers.get(cell)
        if number is None:
            lock = _OWNED.fullmatch(cell) if roles[cell] == "lock" and value == "None" else None
            ever = f"Nobody has held {lock['lock']}{lock['index'] or ''}" if lock is not None else ""
            yield _sentence(ever or f"{cell} is {c_word(value)}, as it was from the start")
            continue
        step = trace.steps[number - 1]
        before = next(c.before for c in step.changes if c.cell == cell)
        call = f" in {step.calls[-1]}()" if step.calls else ""
        yield _sentence(
            f"{cell} is now {c_word(value)}: {cpu_of(trace, step.thread)}{call} changed it from {c_word(before)}"
        )


def _lasting(trace: Trace) -> Iterator[str]:
    """What repeats forever, or that the run has ended."""
    if trace.property_kind == "always_reachable":
        yield "No run leads there from here."
    elif trace.loop is None:
        yield from _stuck(trace)
    else:
        round_ = len(trace.steps) - trace.loop + 1
        which = "the last step repeats" if round_ == 1 else f"the last {round_} steps repeat"
        yield f"Livelock: {which} for ever, and every thread gets the turns it is due."
        looped = trace.steps[trace.loop - 1 :]
        ran = {step.thread for step in looped}
        waits = {w.thread: w for step in looped for w in step.blocked if w.thread not in ran and not w.daemon}
        for waiting in waits.values():
            yield _sentence(f"{cpu_of(trace, waiting.thread)} {waits_words(trace, waiting)} all the time")


def _stuck(trace: Trace) -> Iterator[str]:
    """Who waits for what, who prevents it from continuing, and whether that is a cycle."""
    yield "Nothing can run any more."
    held = held_at(trace, len(trace.steps))
    found = blocked(trace)
    for one in found:
        own = [hold.label for hold in held if hold.thread == one.waiting.thread and hold.mode != "queued"]
        holding = f"holds {', '.join(own)} and " if own else ""
        why = reason(trace, one)
        yield _sentence(
            f"{cpu_of(trace, one.waiting.thread)} {holding}{waits_words(trace, one.waiting)}{why and f', {why}'}"
        )
    if round_ := cycle(found):
        yield _sentence(f"Circular wait: {' -> '.join(cpu_of(trace, name) for name in (*round_, round_[0]))}")


def waits_at(trace: Trace, waiting: Waiting) -> str:
    """What a thread waits at, with known indexes filled in: ``lock(i_mutex)``."""
    *_, final = trace.states()
    return awaited(waiting, final, dict(trace.model.params))[1]


def waits_words(trace: Trace, waiting: Waiting) -> str:
    """``waits at lock(i_mutex)``, ``waits until !dirty[0]``."""
    *_, final = trace.states()
    is_condition, text = awaited(waiting, final, dict(trace.model.params))
    return f"waits {'until' if is_condition else 'at'} {text}"


def _actor(trace: Trace) -> str:
    return cpu_of(trace, trace.steps[-1].thread) if trace.steps else "The start"


def _sentence(text: str) -> str:
    text = printable(" ".join(text.split()))
    return text if text.endswith((".", "!", '."')) else f"{text}."
