"""Counts that several threads change: ``atomic_t``, ``refcount_t``, the references and pins of a folio.

Each method is one step. What ``refcount_t`` warns of when it is run (lib/refcount.c) is here the fault ``misuse`` at
the caller's line.
"""

from __future__ import annotations

from typing import Any

from dio_mc.lang.declarations import Range, Var
from dio_mc.lang.model import Part
from dio_mc.lang.statements import atomic, require


class AtomicInt(Part):
    """``atomic_t``: a number that is read, changed and written in one step (include/linux/atomic).

    It has no rule but its bounds: outside ``low..high`` is the fault ``range``.
    """

    low: int = 0
    high: int = 7
    init: int = 0
    value: int

    def declarations(self) -> dict[str, Any]:
        """The number."""
        return {"value": Var(Range(self.low, self.high), init=self.init)}

    def read(self) -> int:
        """The number (pure)."""
        return self.value

    @atomic()
    def set(self, value: int) -> None:
        """Another number, whatever it was."""
        self.value = value

    @atomic()
    def add(self, amount: int) -> None:
        """Add to it; a negative `amount` subtracts."""
        self.value += amount

    @atomic()
    def inc(self) -> None:
        """Add one."""
        self.value += 1

    @atomic()
    def dec(self) -> None:
        """Subtract one."""
        self.value -= 1

    @atomic()
    def inc_return(self) -> int:
        """Add one; gives the sum."""
        self.value += 1
        return self.value

    @atomic()
    def dec_and_test(self) -> bool:
        """Subtract one; says whether that made it zero."""
        self.value -= 1
        return self.value == 0

    @atomic()
    def inc_not_zero(self) -> bool:
        """Add one unless it is zero; says whether it did."""
        if self.value == 0:
            return False
        self.value += 1
        return True

    @atomic()
    def xchg(self, value: int) -> int:
        """Another number; gives the one before."""
        before = self.value
        self.value = value
        return before

    @atomic()
    def cmpxchg(self, old: int, new: int) -> int:
        """The number `new` if it is `old`; gives what it was."""
        before = self.value
        if before == old:
            self.value = new
        return before


class Refcount(Part):
    """``refcount_t`` (lib/refcount.c): references to an object that is freed with the last one.

    Of no references there are never any again: only ``set`` begins a new life. `max` references at once are too many,
    as saturation is in the kernel.
    """

    init: int = 1
    max: int = 7
    count: int

    def declarations(self) -> dict[str, Any]:
        """The count."""
        return {"count": Var(Range(0, self.max), init=self.init)}

    def read(self) -> int:
        """How many references there are (pure)."""
        return self.count

    @atomic()
    def set(self, count: int) -> None:
        """So many references; for an object that nobody else can find."""
        self.count = count

    @atomic()
    def inc(self) -> None:
        """One more, of somebody who has one."""
        require(self.count > 0, "incremented from zero: the object has been freed")
        require(self.count < self.max, "saturated: a reference is leaked")
        self.count += 1

    @atomic()
    def inc_not_zero(self) -> bool:
        """One more unless there are none; says whether there is."""
        if self.count == 0:
            return False
        require(self.count < self.max, "saturated: a reference is leaked")
        self.count += 1
        return True

    @atomic()
    def dec(self) -> None:
        """One fewer, which is not the last."""
        require(self.count > 0, "decremented below zero: the object has been freed")
        require(self.count > 1, "decremented to zero by dec: nobody frees the object")
        self.count -= 1

    @atomic()
    def dec_and_test(self) -> bool:
        """One fewer; says whether it was the last, so that the caller frees the object."""
        require(self.count > 0, "decremented below zero: the object has been freed")
        self.count -= 1
        return self.count == 0


class FolioRefs(Refcount):
    """The references of a folio, and how many of them are pins of its data (``folio_get``, ``pin_user_folio``;
    include/linux/mm.h, mm/gup.c). A pin is a reference too. As ``folio_ref_freeze`` does for reclaim and migration, who
    finds exactly the expected references makes them zero, and until ``unfreeze`` nobody gets one."""

    pins: int

    def declarations(self) -> dict[str, Any]:
        """References and pins."""
        return {**super().declarations(), "pins": Var(Range(0, self.max))}

    def maybe_dma_pinned(self) -> bool:
        """Whether somebody has its data pinned (pure)."""
        return self.pins > 0

    @atomic()
    def pin(self) -> None:
        """One reference more, which is a pin."""
        require(self.count > 0, "pinned without a reference: the folio has been freed")
        require(self.count < self.max, "saturated: a reference is leaked")
        self.count += 1
        self.pins += 1

    @atomic()
    def unpin(self) -> bool:
        """One pin fewer; says whether it was the last reference."""
        require(self.pins > 0, "unpinned more often than pinned")
        self.count -= 1
        self.pins -= 1
        return self.count == 0

    @atomic()
    def freeze(self, expected: int) -> bool:
        """No references, if there are as many as expected; says whether there were."""
        if self.count != expected:
            return False
        self.count = 0
        return True

    @atomic()
    def unfreeze(self, count: int) -> None:
        """So many references again."""
        require(self.count == 0, "unfrozen while there are references")
        self.count = count
