"""A ring buffer between a producer and its consumers: no item is lost, duplicated or reordered."""

from dio_mc import Array, Model, Param, Range, Var, atomic, expect, invariant, operation, reachable, thread, wait_until


class BoundedBuffer(Model):
    """The producer puts 0, 1, 2, ... into a ring of `size` slots; the consumers take items in an endless loop."""

    size = Param(2, min=1, max=4)
    items = Param(4, min=1, max=7)
    consumers = Param(2, min=1, max=3)

    ring = Array(Range(0, items - 1), size=size)
    head = Var(Range(0, size - 1))
    count = Var(Range(0, size))
    taken = Var(Range(0, items), ghost=True)
    in_order = Var(bool, init=True, ghost=True)

    @thread
    def producer(self):
        for item in range(self.items):
            self.put(item)

    @thread(instances=consumers, daemon=True)
    def consumer(self):
        while True:
            self.get()

    @operation()
    def put(self, item):
        with atomic():
            wait_until(self.count < self.size)
            self.ring[(self.head + self.count) % self.size] = item
            self.count += 1

    @operation()
    def get(self):
        with atomic():
            wait_until(self.count > 0)
            self.take()

    @operation()
    def take(self):
        with atomic():
            self.in_order = self.in_order and self.ring[self.head] == self.taken
            self.taken += 1
            self.head = (self.head + 1) % self.size
            self.count -= 1

    @invariant
    def first_in_first_out(self):
        return self.in_order

    @reachable
    def all_taken(self):
        return self.taken == self.items


class TestThenTake(BoundedBuffer):
    """The mistake (`if` for `while` under Mesa semantics): a consumer that was woken does not test again."""

    @operation()
    def get(self):
        wait_until(self.count > 0)
        self.take()


expect(BoundedBuffer, holds=True)
expect(BoundedBuffer, holds=True, size=3, items=7)
expect(TestThenTake, holds=True, consumers=1)
expect(TestThenTake, violates={"range"})
