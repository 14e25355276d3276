#!/usr/bin/env python3
"""Plain-Python baseline: BFS over tuples with a set. Usage: pybfs.py P R W B FIX LOOP [--trace]"""

import resource
import sys
import time

ABSENT, CLEAN, DIRTY, WB = range(4)
ZERO, NEWD, STALE = range(3)
P, R, W, B, FIX, LOOP = map(int, sys.argv[1:7])
TRACE = "--trace" in sys.argv
NOSTOP = "--nostop" in sys.argv
N = R + W + B
# layout: cache[P] plock[P] blk[P] disk[P] mutex semr semw | pc[N] | i[N] | buf[R][P]
CA, PL, BL, DI = 0, P, 2 * P, 3 * P
MU, SR, SW = 4 * P, 4 * P + 1, 4 * P + 2
PC = 4 * P + 3
IX = PC + N
BU = IX + N
LEN = BU + R * P
DONE = 99
REND = 0 if LOOP else DONE


def canalloc(s, i):
    return not s[BL + i] and (not FIX or (s[SR] == 0 and s[SW] == 0))


def succ(s):
    out = []
    for t in range(N):
        me = t + 1
        pc = s[PC + t]
        i = s[IX + t]
        last = i == P - 1
        if t < R:
            if pc == 0:
                if s[MU] == 0:
                    n = list(s)
                    n[MU] = me
                    n[PC + t] = 1
                    for k in range(P):
                        n[BU + t * P + k] = ZERO
                    out.append(tuple(n))
            elif pc == 1:
                if s[CA + i] <= CLEAN:
                    n = list(s)
                    if last:
                        n[IX + t] = 0
                        n[PC + t] = 6
                    else:
                        n[IX + t] = i + 1
                    out.append(tuple(n))
                elif s[CA + i] == DIRTY and s[PL + i] == 0:
                    n = list(s)
                    n[PL + i] = me
                    n[PC + t] = 2
                    out.append(tuple(n))
            elif pc == 2:
                if s[BL + i]:
                    n = list(s)
                    n[PC + t] = 3
                    out.append(tuple(n))
                elif canalloc(s, i):
                    n = list(s)
                    n[BL + i] = 1
                    n[PC + t] = 3
                    if FIX:
                        n[SW] = me
                    out.append(tuple(n))
            elif pc == 3:
                n = list(s)
                n[CA + i] = WB
                n[PC + t] = 4
                out.append(tuple(n))
            elif pc == 4:
                n = list(s)
                n[DI + i] = 1
                n[CA + i] = CLEAN
                n[PC + t] = 5
                out.append(tuple(n))
            elif pc == 5:
                n = list(s)
                n[PL + i] = 0
                if n[SW] == me:
                    n[SW] = 0
                if last:
                    n[IX + t] = 0
                    n[PC + t] = 6
                else:
                    n[IX + t] = i + 1
                    n[PC + t] = 1
                out.append(tuple(n))
            elif pc == 6:
                if s[SW] == 0:
                    n = list(s)
                    n[SR] += 1
                    n[PC + t] = 7
                    out.append(tuple(n))
            elif pc == 7:
                n = list(s)
                n[MU] = 0
                n[PC + t] = 8
                out.append(tuple(n))
            elif pc == 8:
                n = list(s)
                if not s[BL + i]:
                    n[BU + t * P + i] = ZERO
                    if last:
                        n[IX + t] = 0
                        n[PC + t] = 10
                    else:
                        n[IX + t] = i + 1
                else:
                    n[PC + t] = 9
                out.append(tuple(n))
            elif pc == 9:
                n = list(s)
                n[BU + t * P + i] = NEWD if s[DI + i] else STALE
                if last:
                    n[IX + t] = 0
                    n[PC + t] = 10
                else:
                    n[IX + t] = i + 1
                    n[PC + t] = 8
                out.append(tuple(n))
            elif pc == 10:
                n = list(s)
                n[SR] -= 1
                n[PC + t] = REND
                out.append(tuple(n))
        elif t < R + W:
            if pc == 0:
                for p in range(P):
                    if s[PL + p] == 0:
                        n = list(s)
                        n[PL + p] = me
                        n[IX + t] = p
                        n[PC + t] = 1
                        out.append(tuple(n))
            elif pc == 1:
                n = list(s)
                if s[CA + i] == ABSENT:
                    n[CA + i] = CLEAN
                n[PC + t] = 2
                out.append(tuple(n))
            elif pc == 2:
                n = list(s)
                n[CA + i] = DIRTY
                n[PL + i] = 0
                n[PC + t] = 3
                out.append(tuple(n))
            elif pc == 3:
                if s[PL + i] == 0:
                    n = list(s)
                    if s[CA + i] == DIRTY:
                        n[PL + i] = me
                        n[PC + t] = 4
                    else:
                        n[IX + t] = 0
                        n[PC + t] = REND
                    out.append(tuple(n))
            elif pc == 4:
                if s[BL + i]:
                    n = list(s)
                    n[PC + t] = 5
                    out.append(tuple(n))
                elif canalloc(s, i):
                    n = list(s)
                    n[BL + i] = 1
                    n[PC + t] = 5
                    if FIX:
                        n[SW] = me
                    out.append(tuple(n))
            elif pc == 5:
                n = list(s)
                n[CA + i] = WB
                n[PC + t] = 6
                out.append(tuple(n))
            elif pc == 6:
                n = list(s)
                n[DI + i] = 1
                n[CA + i] = CLEAN
                n[PC + t] = 7
                out.append(tuple(n))
            elif pc == 7:
                n = list(s)
                n[PL + i] = 0
                n[IX + t] = 0
                n[PC + t] = REND
                if n[SW] == me:
                    n[SW] = 0
                out.append(tuple(n))
        else:
            if pc == 0:
                if s[MU] == 0:
                    n = list(s)
                    n[MU] = me
                    n[PC + t] = 1
                    out.append(tuple(n))
            elif pc == 1:
                if s[PL + i] == 0:
                    n = list(s)
                    n[PL + i] = me
                    n[PC + t] = 2
                    out.append(tuple(n))
            elif pc == 2:
                if s[BL + i]:
                    n = list(s)
                    n[PC + t] = 3
                    out.append(tuple(n))
                elif canalloc(s, i):
                    n = list(s)
                    n[BL + i] = 1
                    n[PC + t] = 3
                    out.append(tuple(n))
            elif pc == 3:
                n = list(s)
                n[CA + i] = DIRTY
                n[PC + t] = 4
                out.append(tuple(n))
            elif pc == 4:
                n = list(s)
                n[PL + i] = 0
                if last:
                    n[IX + t] = 0
                    n[PC + t] = 5
                else:
                    n[IX + t] = i + 1
                    n[PC + t] = 1
                out.append(tuple(n))
            elif pc == 5:
                n = list(s)
                n[MU] = 0
                n[PC + t] = REND
                out.append(tuple(n))
    return out


def bad(s):
    return STALE in s[BU:LEN]


def main():
    t0 = time.perf_counter()
    init = (0,) * LEN
    seen = {init: None} if TRACE else {init}
    frontier = [init]
    depth = 0
    trans = 0
    while frontier:
        nxt = []
        for s in frontier:
            ss = succ(s)
            trans += len(ss)
            if not ss and LOOP:
                print("DEADLOCK", s)
                return
            for n in ss:
                if n not in seen:
                    if TRACE:
                        seen[n] = s
                    else:
                        seen.add(n)
                    if bad(n) and not NOSTOP:
                        dt = time.perf_counter() - t0
                        print("VIOLATION depth=%d states=%d time=%.3fs" % (depth + 1, len(seen), dt))
                        if TRACE:
                            path = []
                            while n is not None:
                                path.append(n)
                                n = seen[n]
                            for x in reversed(path):
                                print(x)
                        return
                    nxt.append(n)
        frontier = nxt
        if nxt:
            depth += 1
    dt = time.perf_counter() - t0
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        "states=%d transitions=%d depth=%d time=%.3fs states/s=%.0f rssKiB=%d B/state=%.0f"
        % (len(seen), trans, depth, dt, len(seen) / dt, rss, rss * 1024 / len(seen))
    )


main()
