"""Traces and models whose names are all markup."""

from __future__ import annotations

import json
from typing import Any

from dio_mc.trace.codec import decode, encode
from dio_mc.trace.trace import Trace

NASTY = "</script></style></title><img src=x onerror=\"document.title='owned';alert(1)\">&\"'`]]><!--\u202e"
_KEPT = {"schema", "kind", "property_kind", "role", "search"}

MODEL = '''"""</script><img src=x onerror="document.title='owned'">"""

from dio_mc import Model, Range, Var, invariant, operation, thread


class Hostile(Model):
    """</script><img src=x onerror="document.title='owned'">"""  # </script></code><img src=x onerror="alert(1)">

    n = Var(Range(0, 2))

    @thread
    def up(self):
        self.add()
        self.add()

    @operation(kernel="fs/x.c:add")
    def add(self):
        self.n += 1  # "</script><img src=x onerror=alert(1)>"

    @invariant
    def small(self):
        """</script><img src=x onerror="document.title='owned'">"""
        return self.n < 2
'''


def hostile(trace: Trace) -> Trace:
    """The trace with markup after every text that a model or the writer of a file can choose."""
    return decode(json.dumps(_spoilt(json.loads(encode(trace)), "")))


def _spoilt(value: Any, key: str) -> Any:
    match value:
        case dict():
            return {name: _spoilt(inner, name) for name, inner in value.items()}
        case list():
            return [_spoilt(inner, key) for inner in value]
        case str() if key not in _KEPT:
            return value + NASTY
        case _:
            return value
