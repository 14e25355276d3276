"""The toys' states and transitions, counted a second time: a few lines of plain Python each, or a formula.

Nothing of dio-mc is used for the second count. A step that ends in a fault of the model has no successor in either.
"""

from collections.abc import Callable, Hashable, Iterator
from pathlib import Path

import pytest

import dio_mc
from dio_mc.frontend import load_module

TOYS = Path(__file__).parents[2] / "models" / "toys"
Successors = Callable[..., Iterator[Hashable]]


def check(name: str, params: dict[str, int]):
    """`name` is ``file:Class``."""
    stem, _, wanted = name.partition(":")
    loaded = load_module(TOYS / f"{stem}.py")
    model = next(cls for cls in loaded.models if cls.__name__ == wanted)
    return dio_mc.check(model, params)


def count(start: Hashable, successors: Successors) -> tuple[int, int]:
    """States and transitions of a graph."""
    seen, todo, transitions = {start}, [start], 0
    while todo:
        for state in successors(todo.pop()):
            transitions += 1
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return len(seen), transitions


def put(values: tuple, index: int, value: object) -> tuple:
    return (*values[:index], value, *values[index + 1 :])


def counter(n: int) -> tuple[int, int]:
    """Per thread: increments done, and what it has read."""

    def successors(state):
        x, threads = state
        for k, (done, seen) in enumerate(threads):
            if seen is not None:
                yield seen + 1, put(threads, k, (done + 1, None))
            elif done < n:
                yield x, put(threads, k, (done, x))

    return count((0, ((0, None), (0, None))), successors)


def philosophers(n: int, ordered: bool) -> tuple[int, int]:
    """Per philosopher: 0 at the start, 1 one fork, 2 both, 3 one again, 4 gone."""
    forks = [(k, (k + 1) % n) for k in range(n)]
    if ordered:
        forks = [(min(pair), max(pair)) for pair in forks]

    def held(stages):
        return {f for (a, b), stage in zip(forks, stages, strict=True) for f in ((), (a,), (a, b), (a,), ())[stage]}

    def successors(stages):
        for k, stage in enumerate(stages):
            if stage in (2, 3) or (stage < 2 and forks[k][stage] not in held(stages)):
                yield put(stages, k, stage + 1)

    return count((0,) * n, successors)


def peterson(turn_first: bool) -> tuple[int, int]:
    """Per thread: 0 wants, 1 turn (or the reverse), 2 looks at the other, 3 looks at the turn, 4 in, 5 out, 6 done."""

    def successors(state):
        at, wants, turn, critical = state
        for k, place in enumerate(at):
            if place == (1 if turn_first else 0):
                yield put(at, k, place + 1), put(wants, k, True), turn, critical
            elif place < 2:
                yield put(at, k, place + 1), wants, 1 - k, critical
            elif place == 2:
                yield put(at, k, 3 if wants[1 - k] else 4), wants, turn, critical
            elif place == 3:
                yield put(at, k, 4 if turn == k else 2), wants, turn, critical
            elif place < 6:
                yield put(at, k, place + 1), wants, turn, put(critical, k, place == 4)
            else:
                yield put(at, k, 0), put(wants, k, False), turn, critical

    return count(((0, 0), (False, False), 0, (False, False)), successors)


def readers_writers(readers: int, writers: int, careful: bool) -> tuple[int, int]:
    """Reader: 0 outside, 1 inside, (2, left) has read one field, 3 both, 4 gone. Writer: 0, 1 to 3 inside, 4."""

    def successors(state):
        left, right, rs, ws = state
        writing = any(0 < w < 4 for w in ws)
        reading = any(r not in (0, 4) for r in rs)
        for k, r in enumerate(rs):
            if r == 1:
                yield left, right, put(rs, k, (2, left)), ws
            elif r == (2, right):
                yield left, right, put(rs, k, 3), ws
            elif r == 3 or (r == 0 and not writing):
                yield left, right, put(rs, k, r + 1), ws
        for k, w in enumerate(ws):
            if w in (1, 2, 3) or (w == 0 and not writing and not (careful and reading)):
                yield left ^ (w == 1), right ^ (w == 2), rs, put(ws, k, w + 1)

    return count((0, 0, (0,) * readers, (0,) * writers), successors)


def bounded_buffer(size: int, items: int, consumers: int) -> tuple[int, int]:
    """All (put, taken) with put - taken in 0..size; the ring is what the two numbers say it is."""
    states = [(p, t) for p in range(items + 1) for t in range(p + 1) if p - t <= size]
    puts = sum(p < items and p - t < size for p, t in states)
    return len(states), puts + consumers * sum(p > t for p, t in states)


def looks_then_takes(size: int, items: int, consumers: int) -> tuple[int, int]:
    """As above; per consumer, whether it has looked and not yet taken. Taking from an empty ring is a fault."""

    def successors(state):
        p, t, looked = state
        if p < items and p - t < size:
            yield p + 1, t, looked
        for k, has_looked in enumerate(looked):
            if has_looked and p > t:
                yield p, t + 1, put(looked, k, False)
            elif not has_looked and p > t:
                yield p, t, put(looked, k, True)

    return count((0, 0, (False,) * consumers), successors)


def references(users: int, careful: bool) -> tuple[int, int]:
    """Per user: looks, drops, and whoever was last frees; or first drops, frees, then looks. Also what was touched."""
    looks, drops = (0, 1) if careful else (2, 0)

    def successors(state):
        refs, freed, touched, at = state
        for k, place in enumerate(at):
            if place == 3:
                continue
            if place == looks:
                yield refs, freed, touched or freed, put(at, k, 1 if careful else 3)
            elif place == drops:
                yield refs - 1, freed, touched, put(at, k, "frees" if refs == 1 else 3 if careful else 2)
            else:
                yield refs, True, touched, put(at, k, 3 if careful else 2)

    return count((users, False, False, (0,) * users), successors)


def wait_queue(looks_first: bool) -> tuple[int, int]:
    """Waiter: prepares, looks, sleeps (looks again), finishes; the other: 0 sets, 1 wakes, 2 gone."""
    follows = {"look": ("prepare", "gone"), "prepare": "sleep"} if looks_first else {
        "look": ("sleep", "finish"), "prepare": "look"}  # fmt: skip

    def successors(state):
        waiter, waker, ready, queued, asleep = state
        if waiter == "prepare":
            yield follows["prepare"], waker, ready, True, True
        elif waiter == "look":
            yield follows["look"][ready], waker, ready, queued, asleep
        elif waiter == "sleep" and not asleep:
            yield "finish" if looks_first else "prepare", waker, ready, queued, asleep
        elif waiter == "finish":
            yield "gone", waker, ready, False, False
        if waker == 0:
            yield waiter, 1, True, queued, asleep
        elif waker == 1:
            yield waiter, 2, ready, queued, False

    return count(("look" if looks_first else "prepare", 0, False, False, False), successors)


def rcu(readers: int, grace: bool) -> tuple[int, int]:
    """Reader: 0 outside, 1 inside, 2 has found the element, 3 has nothing or has used it, 4 gone. Updater: unlinks,
    sees the readers, waits until these are gone, frees."""

    def successors(state):
        linked, freed, touched, at, updater, waited = state
        for k, place in enumerate(at):
            if place == 0:
                yield linked, freed, touched, put(at, k, 1), updater, waited
            elif place == 1:
                yield linked, freed, touched, put(at, k, 2 if linked else 3), updater, waited
            elif place == 2:
                yield linked, freed, touched or freed, put(at, k, 3), updater, waited
            elif place == 3:
                yield linked, freed, touched, put(at, k, 4), updater, waited - {k}
        if updater == 0:
            yield False, freed, touched, at, 1 if grace else 3, waited
        elif updater == 1:
            yield linked, freed, touched, at, 2, frozenset(k for k, place in enumerate(at) if place in (1, 2, 3))
        elif (updater == 2 and not waited) or updater == 3:
            yield linked, freed or updater == 3, touched, at, updater + 1, waited

    return count((True, False, False, (0,) * readers, 0, frozenset()), successors)


def sequence(writers: int, locked: bool) -> tuple[int, int]:
    """Writer: 0, 1 has the lock, 2 writes, 3 and 4 have written a field, 5 has ended, 6 gone. `changed` are those for
    whom a writer has begun: the reader, 'r', and writers, who never read. A second writer at once is a fault."""

    def successors(state):
        low, high, changed, ws, reader = state
        writing = any(2 <= w <= 4 for w in ws)
        for k, w in enumerate(ws):
            if w == 0 and locked and not any(1 <= other <= 5 for other in ws):
                yield low, high, changed, put(ws, k, 1), reader
            elif (w == 1 or (w == 0 and not locked)) and not writing:
                yield low, high, True, put(ws, k, 2), reader
            elif w == 4:
                yield low, high, changed, put(ws, k, 5 if locked else 6), reader
            elif w in (2, 3):
                yield low or w == 2, high or w == 3, changed, put(ws, k, w + 1), reader
            elif w == 5:
                yield low, high, changed, put(ws, k, 6), reader
        everyone = bool(changed)
        if reader == "begin" and not writing:
            yield low, high, "writers" if everyone else changed, ws, "low"
        elif reader == "low":
            yield low, high, changed, ws, ("high", low)
        elif reader[0] == "high":
            yield low, high, changed, ws, ("retry", reader[1], high)
        elif reader[0] == "retry":
            if changed is True:
                yield low, high, changed, ws, "begin"
            elif reader[1] == reader[2]:
                yield low, high, changed, ws, "gone"

    return count((False, False, False, (0,) * writers, "begin"), successors)


def crash(order: str, crashes: int) -> tuple[int, int]:
    """The writer's stores in their order (j and k the journal, c its commit record, a and b the blocks), and up to so
    many crashes if one comes at all; the recovery looks for the record and then copies block by block."""

    def successors(state):
        comes, left, written, at, recovery, seen, crashed = state
        if at is not None and at < len(order):
            yield comes, left, written | {order[at]}, at + 1, recovery, seen, crashed
        if recovery == 1:
            yield comes, left, written, at, 2, "c" in written, crashed
        elif recovery in (2, 3):
            block, source = ("a", "j") if recovery == 2 else ("b", "k")
            kept = written if not seen else written | {block} if source in written else written - {block}
            yield comes, left, kept, at, recovery + 1 if recovery == 2 else 0, seen and recovery == 2, crashed
        if comes and left:
            for again in (True, False) if left > 1 else (True,):
                yield again, left - 1, written, None, 1, False, True

    def settled(state):  # a writer that has ended and one that a crash has ended are the same
        comes, left, written, at, *rest = state
        return (comes, left, written, None if at == len(order) else at, *rest)

    starts = [(comes, crashes, frozenset(), 0, 0, False, False) for comes in (True, False)]
    seen, todo, transitions = set(starts), list(starts), 0
    while todo:
        for state in map(settled, successors(todo.pop())):
            transitions += 1
            if state not in seen:
                seen.add(state)
                todo.append(state)
    return len(seen), transitions


def litmus(*programs: str, depth: int = 2, reorders: bool = False) -> tuple[int, int]:
    """Threads as words: ``x=1`` stores, ``x?`` loads, ``mb``, ``wmb``, ``r0!`` keeps the first value loaded (which waits
    for the buffer), ``x:=1`` stores with release. A buffer is a tuple of (variable, value, whether earlier ones come
    first)."""
    code = [p.split() for p in programs]

    def newest(memory, buffer, name):
        own = [value for variable, value, _ in buffer if variable == name]
        return own[-1] if own else dict(memory).get(name, 0)

    def kept(loaded, ahead):  # a value that nobody keeps any more is forgotten
        return tuple(v if any(w == f"r{n}!" for w in ahead) else None for n, v in enumerate(loaded))

    def successors(state):
        memory, threads = state
        for k, (at, buffer, fence, loaded, results) in enumerate(threads):
            for place in range(len(buffer) if reorders else min(len(buffer), 1)):
                variable, value, _ = buffer[place]
                if any(b[2] for b in buffer[1 : place + 1]) or any(b[0] == variable for b in buffer[:place]):
                    continue
                left = (*buffer[:place], *buffer[place + 1 :])
                left = tuple((a, b, c and n > 0) for n, (a, b, c) in enumerate(left))
                after = tuple(sorted({**dict(memory), variable: value}.items()))
                yield after, put(threads, k, (at, left, fence and bool(left), loaded, results))
            if at == len(code[k]):
                continue
            word, ahead = code[k][at], code[k][at + 1 :]
            release, fenced = ":=" in word, fence
            if word == "mb" and not buffer:
                yield memory, put(threads, k, (at + 1, buffer, fence, loaded, results))
            elif word == "wmb":
                yield memory, put(threads, k, (at + 1, buffer, bool(buffer), loaded, results))
            elif word.endswith("?"):
                got = kept((*loaded, newest(memory, buffer, word[:-1])), ahead)
                yield memory, put(threads, k, (at + 1, buffer, fence, got, results))
            elif word.endswith("!"):
                if not buffer:
                    number = int(word[1:-1])
                    done = (*results, loaded[number])
                    yield memory, put(threads, k, (at + 1, buffer, fence, kept(loaded, ahead), done))
            elif "=" in word and len(buffer) < depth:
                name, _, value = word.replace(":", "").partition("=")
                fenced = reorders and (fence or release) and bool(buffer)
                yield memory, put(threads, k, (at + 1, (*buffer, (name, int(value), fenced)), False, loaded, results))

    return count(((), tuple((0, (), False, (), ()) for _ in code)), successors)


MP, MP_READER = "x=1 y=1", "y? x? r0! r1!"
LITMUS = {
    "StoreBuffering": litmus("x=1 y? r0!", "y=1 x? r0!"),
    "StoreBufferingHalfFenced": litmus("x=1 mb y? r0!", "y=1 x? r0!"),
    "StoreBufferingFenced": litmus("x=1 mb y? r0!", "y=1 mb x? r0!"),
    "MessagePassing": litmus(MP, MP_READER),
    "MessagePassingPso": litmus(MP, MP_READER, reorders=True),
    "MessagePassingWmb": litmus("x=1 wmb y=1", MP_READER, reorders=True),
    "MessagePassingRelease": litmus("x=1 y:=1", MP_READER, reorders=True),
    "LoadBuffering": litmus("x? y=1 r0!", "y? x=1 r0!"),
    "IndependentReads": litmus("x=1", "y=1", "x? y? r0! r1!", "y? x? r0! r1!", depth=1),
    "TwoPlusTwoWrites": litmus("x=1 y=2 mb", "y=1 x=2 mb"),
    "TwoPlusTwoWritesPso": litmus("x=1 y=2 mb", "y=1 x=2 mb", reorders=True),
    "TwoPlusTwoWritesWmb": litmus("x=1 wmb y=2 mb", "y=1 wmb x=2 mb", reorders=True),
}


CASES = [
    *[(f"litmus:{name}", {}, found) for name, found in LITMUS.items()],
    *[("crash:InPlace", {"crashes": n}, crash("ab", n)) for n in (0, 1, 2)],
    *[("crash:Journalled", {"crashes": n}, crash("jkcab", n)) for n in (0, 1, 2, 3)],
    *[("crash:CommitsFirst", {"crashes": n}, crash("cjkab", n)) for n in (1, 2)],
    *[("references:References", {"users": n}, references(n, True)) for n in (1, 2, 3)],
    *[("references:LooksAfterPut", {"users": n}, references(n, False)) for n in (1, 2, 3)],
    ("wait_queue:Waits", {}, wait_queue(False)),
    ("wait_queue:LooksFirst", {}, wait_queue(True)),
    *[("rcu:Removes", {"readers": n}, rcu(n, True)) for n in (1, 2, 3)],
    *[("rcu:FreesAtOnce", {"readers": n}, rcu(n, False)) for n in (1, 2)],
    *[("sequence:Sequence", {"writers": n}, sequence(n, True)) for n in (1, 2)],
    *[("sequence:NoLock", {"writers": n}, sequence(n, False)) for n in (1, 2)],
    *[
        ("request_queue:Requests", {"size": s, "items": i}, bounded_buffer(s, i, 1))
        for s, i in ((1, 1), (2, 4), (4, 7))
    ],
    *[("counter:Counter", {"n": n}, counter(n)) for n in (1, 2, 3)],
    *[("counter:AtomicCounter", {"n": n}, ((n + 1) ** 2, 2 * n * (n + 1))) for n in (1, 2, 6)],
    *[("philosophers:Philosophers", {"n": n}, philosophers(n, False)) for n in (2, 3, 5)],
    *[("philosophers:Ordered", {"n": n}, philosophers(n, True)) for n in (2, 3, 5)],
    ("peterson:Peterson", {}, peterson(False)),
    ("peterson:TurnFirst", {}, peterson(True)),
    *[
        (f"readers_writers:{name}", {"readers": r, "writers": w}, readers_writers(r, w, name == "ReadersWriters"))
        for name in ("ReadersWriters", "WriterIgnoresReaders")
        for r, w in ((1, 1), (2, 1), (3, 2))
    ],
    *[
        ("bounded_buffer:BoundedBuffer", {"size": s, "items": i, "consumers": c}, bounded_buffer(s, i, c))
        for s, i, c in ((1, 1, 1), (2, 4, 2), (3, 7, 2))
    ],
    *[
        ("bounded_buffer:TestThenTake", {"size": s, "items": i, "consumers": c}, looks_then_takes(s, i, c))
        for s, i, c in ((2, 4, 1), (2, 4, 2), (3, 5, 3))
    ],
]


@pytest.mark.parametrize(("name", "params", "expected"), CASES, ids=[f"{n}-{p}" for n, p, _ in CASES])
def test_counts(name, params, expected):
    report = check(name, params)
    assert (report.states, report.transitions) == expected


@pytest.mark.parametrize(
    ("name", "params", "verdict"),
    [
        ("counter:Counter", {"n": 3}, "VIOLATED"),
        ("counter:AtomicCounter", {"n": 3}, "HOLDS"),
        ("philosophers:Philosophers", {}, "VIOLATED"),
        ("philosophers:Ordered", {}, "HOLDS"),
        ("peterson:Peterson", {}, "HOLDS"),
        ("peterson:TurnFirst", {}, "VIOLATED"),
    ],
)
def test_verdict(name, params, verdict):
    assert check(name, params).verdict == verdict


def test_deadlock_after_everyone_took_one_fork():
    report = check("philosophers:Philosophers", {"n": 5})
    assert [(v.property, len(v.schedule), v.switches) for v in report.violations] == [("deadlock", 5, 4)]
