"""A guard that has no memory left to look at the limits ends what it guards."""

import pytest

from dio_mc.guard import Ended, Guard
from dio_mc.semantics.stop import OUT_OF_MEMORY, Stop


def test_no_memory_to_look_is_a_reason_to_end() -> None:
    def exceeded() -> Stop | None:
        raise MemoryError

    def endless() -> None:
        with Guard(exceeded):
            while True:
                pass

    with pytest.raises(Ended) as ended:
        endless()
    assert ended.value.stop == OUT_OF_MEMORY
