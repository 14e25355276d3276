"""What a real kernel's calls are judged by, against every order of them, tried independently."""

from __future__ import annotations

import random

from histories import Called, verdict

from dio_mc.kernel.register import VALUES
from dio_mc.study.orders import Call, broken

KINDS = [*(Called("read", value.name) for value in VALUES), Called("write", "NEW"), Called("write", "NEWER"),
         Called("punch", "ZERO"), Called("write", "EOF"), Called("refused", "NEW")]  # fmt: skip


def test_random_histories() -> None:
    random_numbers, found = random.Random(5), set()
    for _ in range(1500):
        calls = tuple(random_numbers.choice(KINDS) for _ in range(3))
        intervals = [sorted(random_numbers.sample(range(6), 2)) for _ in calls]
        before = frozenset((a, b) for a in range(3) for b in range(3) if intervals[a][1] < intervals[b][0])
        initial, final = random_numbers.choice(["OLD", "ZERO"]), random_numbers.choice(VALUES).name
        mine = tuple(
            Call(c.value, c.kind != "read", c.kind == "refused", frozenset(a for a, b in before if b == n))
            for n, c in enumerate(calls)
        )
        told = broken(mine, initial, final)
        right = verdict(calls, before, initial, final)
        assert ("ok" if not told else "lost" if told == ("no_lost_write",) else "stale") == right
        found.add(right)
    assert found == {"ok", "stale", "lost"}
