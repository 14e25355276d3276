"""A writer of LLVM IR text: one function under construction, with constant folding.

A `Ref` is an ``i64``: a Python integer if it is known at compile time, otherwise the name of a
register. A `Cond` is the same for ``i1``.
"""

from __future__ import annotations

Ref = int | str
Cond = int | str


class Asm:
    """The body of one function. Instructions are appended to the open basic block; `start` opens
    the next."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.allocas: list[str] = []
        self.label = "entry"
        self._count = 0
        self._labels = 0

    def new_label(self, hint: str = "b") -> str:
        """A label that is unique in this function."""
        self._labels += 1
        return f"{hint}.{self._labels}"

    def op(self, text: str) -> str:
        """Append an instruction that has a result; return its register."""
        self._count += 1
        name = f"%r{self._count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Append an instruction without a result."""
        self.lines.append(f"  {text}")

    def slot(self, name: str, type_: str = "i64") -> str:
        """Allocate a local variable on the stack of the function; return its address."""
        self.allocas.append(f"  %{name} = alloca {type_}")
        return f"%{name}"

    def start(self, label: str) -> None:
        """Open a basic block."""
        self.lines.append(f"{label}:")
        self.label = label

    def jump(self, label: str) -> None:
        """End the block with an unconditional branch."""
        self.do(f"br label %{label}")

    def branch(self, condition: Cond, then: str, orelse: str) -> None:
        """End the block with a conditional branch; a constant condition makes it unconditional."""
        if isinstance(condition, int):
            self.jump(then if condition else orelse)
        else:
            self.do(f"br i1 {condition}, label %{then}, label %{orelse}")

    def count_up(self, first: Ref, end: Ref) -> str:
        """Begin a loop over the numbers from `first` up to but not including `end`; return the
        register of the current number.

        The body must branch to ``head`` for the next number, and the code after the loop must start
        the block ``done``. The labels are fixed, so a function can contain only one such loop.
        """
        at = self.slot("at")
        self.store(first, at)
        self.jump("head")
        self.start("head")
        number = self.load(at)
        self.branch(self.op(f"icmp ult i64 {number}, {end}"), "body", "done")
        self.start("body")
        self.store(self.add(number, 1), at)
        return number

    def load(self, slot: str, type_: str = "i64") -> str:
        """Load from a variable or address."""
        return self.op(f"load {type_}, ptr {slot}")

    def store(self, value: Ref, slot: str, type_: str = "i64") -> None:
        """Store to a variable or address."""
        self.do(f"store {type_} {value}, ptr {slot}")

    def text(self, head: str) -> str:
        """The finished function; `head` is its ``define`` line up to the brace."""
        return "\n".join([f"{head} {{", "entry:", *self.allocas, *self.lines, "}", ""])

    # -- arithmetic ----------------------------------------------------------------------------------------------------

    def add(self, first: Ref, second: Ref) -> Ref:
        """``first + second``, modulo 2**64 if not constant."""
        if isinstance(first, int) and isinstance(second, int):
            return first + second
        if second == 0:
            return first
        return second if first == 0 else self.op(f"add i64 {signed(first)}, {signed(second)}")

    def sub(self, first: Ref, second: Ref) -> Ref:
        """``first - second``, modulo 2**64 if not constant."""
        if isinstance(first, int) and isinstance(second, int):
            return first - second
        return first if second == 0 else self.op(f"sub i64 {signed(first)}, {signed(second)}")

    def mul(self, first: Ref, second: Ref) -> Ref:
        """``first * second``, modulo 2**64 if not constant."""
        if isinstance(first, int) and isinstance(second, int):
            return first * second
        if first == 1:
            return second
        return first if second == 1 else self.op(f"mul i64 {signed(first)}, {signed(second)}")

    def shift_left(self, value: Ref, by: Ref) -> Ref:
        """``value << by``, modulo 2**64."""
        if isinstance(value, int) and isinstance(by, int):
            return value << by & (1 << 64) - 1
        return value if by == 0 else self.op(f"shl i64 {signed(value)}, {signed(by)}")

    def shift_right(self, value: Ref, by: Ref) -> Ref:
        """``value >> by``, with `value` unsigned."""
        if isinstance(value, int) and isinstance(by, int):
            return value >> by
        return value if by == 0 else self.op(f"lshr i64 {signed(value)}, {signed(by)}")

    def bits(self, operation: str, first: Ref, second: Ref) -> Ref:
        """A bitwise operation: ``and``, ``or`` or ``xor``. Only ``or`` and ``xor`` with a second
        operand of 0 are folded."""
        if second == 0 and operation != "and":
            return first
        return self.op(f"{operation} i64 {signed(first)}, {signed(second)}")

    def compare(self, op: str, first: Ref, second: Ref) -> Cond:
        """A comparison by its LLVM predicate: ``eq``, ``ne``, or a signed one such as ``slt``."""
        if isinstance(first, int) and isinstance(second, int):
            return int(_FOLD[op](first, second))
        end = 1 << (63 if op.startswith("s") else 64)
        if any(isinstance(part, int) and not -(1 << 63) <= part < end for part in (first, second)):
            # a constant outside the range of a word compares the same way with every word
            return int(_FOLD[op](*(part if isinstance(part, int) else 0 for part in (first, second))))
        return self.op(f"icmp {op} i64 {signed(first)}, {signed(second)}")

    def widen(self, condition: Cond) -> Ref:
        """A condition as the integer 0 or 1."""
        return condition if isinstance(condition, int) else self.op(f"zext i1 {condition} to i64")

    def invert(self, condition: Cond) -> Cond:
        """Logical negation."""
        return 1 - condition if isinstance(condition, int) else self.op(f"xor i1 {condition}, true")

    def both(self, first: Cond, second: Cond) -> Cond:
        """Logical conjunction; both operands are already evaluated."""
        if isinstance(first, int):
            return second if first else 0
        if isinstance(second, int):
            return first if second else 0
        return self.op(f"and i1 {first}, {second}")

    def either(self, first: Cond, second: Cond) -> Cond:
        """Logical disjunction; both operands are already evaluated."""
        if isinstance(first, int):
            return 1 if first else second
        if isinstance(second, int):
            return 1 if second else first
        return self.op(f"or i1 {first}, {second}")

    def select(self, condition: Cond, then: Ref, orelse: Ref) -> Ref:
        """``then`` if the condition holds, otherwise ``orelse``; both are already evaluated."""
        if isinstance(condition, int):
            return then if condition else orelse
        return self.op(f"select i1 {condition}, i64 {signed(then)}, i64 {signed(orelse)}")


def signed(value: Ref) -> Ref:
    """An integer as a signed 64-bit literal, which is how LLVM IR writes constants; registers are
    returned unchanged."""
    if isinstance(value, str):
        return value
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


_FOLD = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "slt": lambda a, b: a < b,
    "sle": lambda a, b: a <= b,
    "sgt": lambda a, b: a > b,
    "sge": lambda a, b: a >= b,
}
