"""A queue of requests between a submitter and a device: bounded_buffer.py with the queue of the language."""

from dio_mc import BoundedQueue, Model, Param, Range, Var, expect, invariant, operation, reachable, thread


class Requests(Model):
    """The producer submits 0, 1, 2, ...; the device takes requests in an endless loop."""

    size = Param(2, min=1, max=4)
    items = Param(4, min=1, max=7)
    queue = BoundedQueue(of=Range(0, items - 1), size=size)
    taken = Var(Range(0, items), ghost=True)
    in_order = Var(bool, init=True, ghost=True)

    @thread
    def producer(self):
        for item in range(self.items):
            self.queue.put(item)

    @thread(daemon=True)
    def device(self):
        while True:
            self.serve()

    @operation()
    def serve(self):
        item = self.queue.get()
        self.in_order = self.in_order and item == self.taken
        self.taken += 1

    @invariant
    def first_in_first_out(self):
        return self.in_order

    @reachable
    def all_taken(self):
        return self.taken == self.items


expect(Requests, holds=True)
expect(Requests, holds=True, size=3, items=7)
