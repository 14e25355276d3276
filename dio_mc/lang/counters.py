"""Counters shared by several threads: ``atomic_t``, ``refcount_t``, the references and pins of a folio.

Each method is one step. What ``refcount_t`` warns about at run time (lib/refcount.c) is the fault ``misuse`` here, at
the caller's line.
"""

from __future__ import annotations

from typing import Any

from dio_mc.lang.declarations import Range, Var
from dio_mc.lang.model import Part
from dio_mc.lang.statements import atomic, require


class AtomicInt(Part):
    """``atomic_t``: an integer that is read, modified and written in one step (include/linux/atomic).

    The only rule is its bounds: a value outside ``low..high`` is the fault ``range``.
    """

    low: int = 0
    high: int = 7
    init: int = 0
    value: int

    def declarations(self) -> dict[str, Any]:
        """The value."""
        return {"value": Var(Range(self.low, self.high), init=self.init)}

    def read(self) -> int:
        """The value (pure)."""
        return self.value

    @atomic()
    def set(self, value: int) -> None:
        """Set the value."""
        self.value = value

    @atomic()
    def add(self, amount: int) -> None:
        """Add `amount`; a negative `amount` subtracts."""
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
        """Add one; returns the new value."""
        self.value += 1
        return self.value

    @atomic()
    def dec_and_test(self) -> bool:
        """Subtract one; returns whether the new value is zero."""
        self.value -= 1
        return self.value == 0

    @atomic()
    def inc_not_zero(self) -> bool:
        """Add one unless the value is zero; returns whether it was added."""
        if self.value == 0:
            return False
        self.value += 1
        return True

    @atomic()
    def xchg(self, value: int) -> int:
        """Set the value; returns the old one."""
        before = self.value
        self.value = value
        return before

    @atomic()
    def cmpxchg(self, old: int, new: int) -> int:
        """Set the value to `new` if it is `old`; returns the value before."""
        before = self.value
        if before == old:
            self.value = new
        return before


class Refcount(Part):
    """``refcount_t`` (lib/refcount.c): the number of references to an object that is freed with the last one.

    Once there are no references, none can be taken; only ``set`` starts again. More than `max` references are a fault,
    in place of the kernel's saturation.
    """

    init: int = 1
    max: int = 7
    count: int

    def declarations(self) -> dict[str, Any]:
        """The count."""
        return {"count": Var(Range(0, self.max), init=self.init)}

    def read(self) -> int:
        """The number of references (pure)."""
        return self.count

    @atomic()
    def set(self, count: int) -> None:
        """Set the number of references, for an object that no other thread can find."""
        self.count = count

    @atomic()
    def inc(self) -> None:
        """Take one more reference; the caller must already have one."""
        require(self.count > 0, "incremented from zero: the object has been freed")
        require(self.count < self.max, "saturated: a reference is leaked")
        self.count += 1

    @atomic()
    def inc_not_zero(self) -> bool:
        """Take one more reference unless there are none; returns whether it was taken."""
        if self.count == 0:
            return False
        require(self.count < self.max, "saturated: a reference is leaked")
        self.count += 1
        return True

    @atomic()
    def dec(self) -> None:
        """Drop a reference that is not the last one."""
        require(self.count > 0, "decremented below zero: the object has been freed")
        require(self.count > 1, "decremented to zero by dec: nobody frees the object")
        self.count -= 1

    @atomic()
    def dec_and_test(self) -> bool:
        """Drop a reference; returns whether it was the last one, so that the caller frees the object."""
        require(self.count > 0, "decremented below zero: the object has been freed")
        self.count -= 1
        return self.count == 0


class FolioRefs(Refcount):
    """The references of a folio, and how many of them are pins of its data (``folio_get``, ``pin_user_folio``;
    include/linux/mm.h, mm/gup.c). A pin is also a reference. ``freeze`` is ``folio_ref_freeze`` of reclaim and
    migration: if there are exactly the expected references, it sets them to zero, and until ``unfreeze`` no reference
    can be taken."""

    pins: int

    def declarations(self) -> dict[str, Any]:
        """The numbers of references and pins."""
        return {**super().declarations(), "pins": Var(Range(0, self.max))}

    def maybe_dma_pinned(self) -> bool:
        """Whether the data of the folio is pinned (pure)."""
        return self.pins > 0

    @atomic()
    def pin(self) -> None:
        """Take one more reference, which is a pin."""
        require(self.count > 0, "pinned without a reference: the folio has been freed")
        require(self.count < self.max, "saturated: a reference is leaked")
        self.count += 1
        self.pins += 1

    @atomic()
    def unpin(self) -> bool:
        """Drop a pin and its reference; returns whether it was the last reference."""
        require(self.pins > 0, "unpinned more often than pinned")
        self.count -= 1
        self.pins -= 1
        return self.count == 0

    @atomic()
    def freeze(self, expected: int) -> bool:
        """Set the number of references to zero if it is `expected`; returns whether it was."""
        if self.count != expected:
            return False
        self.count = 0
        return True

    @atomic()
    def unfreeze(self, count: int) -> None:
        """End a ``freeze``: set the number of references to `count`."""
        require(self.count == 0, "unfrozen while there are references")
        self.count = count
