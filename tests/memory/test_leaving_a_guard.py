"""A guard that raises its exception while it is left: the guarded code was done, and nothing remains."""

import subprocess
import sys
import threading
import time

import pytest

from dio_mc.guard import Ended, Guard, Interrupting
from dio_mc.semantics.stop import OUT_OF_MEMORY


def raise_while_left(guard: Guard, inner: Guard | None = None) -> list[str]:
    """`guard` raises its exception in this thread, which waits at the lock of `inner` (None: of `guard`) to leave it."""
    left, waits, this = inner or guard, threading.Event(), threading.get_ident()
    done = []

    def late() -> None:
        with left._lock:
            waits.set()
            while sys._current_frames()[this].f_code.co_name != "_leave":
                time.sleep(0.001)
            time.sleep(0.02)  # the other one is at the lock now
            if left is guard:
                guard._lock = threading.Lock()  # `_fire` takes it
            guard._fire(OUT_OF_MEMORY)

    with left:
        thread = threading.Thread(target=late)
        thread.start()
        waits.wait()
        done.append("the body")
    done.append("after it")
    thread.join()
    assert left._left.is_set()
    return done


@pytest.mark.parametrize("kind", [Guard, Interrupting])
def test_what_is_pending_is_not_raised_later(kind: type[Guard]) -> None:
    assert raise_while_left(kind(lambda: None)) == ["the body", "after it"]


def test_the_exception_of_a_guard_around_it_goes_on() -> None:
    outer, inner = Guard(lambda: None), Guard(lambda: None)
    with pytest.raises(Ended), outer:
        raise_while_left(outer, inner)
    assert inner._left.is_set()
    assert outer._left.is_set()


PROFILED = """
import sys
sys.path.insert(0, {path!r})
from test_leaving_a_guard import raise_while_left
from dio_mc.guard import Guard
raise_while_left(Guard(lambda: None))
sys.setprofile(lambda *_: None)
raise_while_left.__call__ and (lambda: None)()
sys.setprofile(None)
"""


def test_a_profiler_is_not_held_up_for_ever() -> None:
    code = PROFILED.format(path=str(__file__).rpartition("/")[0])
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
