"""The memory of a program that direct reads go to: fork, and the copy that a store makes after it.

Until the program stores into a page that it shares with its child, both have the same page; then the program
gets a copy, and a device that was given the old page keeps writing there: the read leaves the buffer
UNTOUCHED. All buffers of a workload are in one page. No IO depends on this, so it is recorded in ghosts.
"""

from ranges import Ranges

from dio_mc import PerThread, Var, operation, threads


class UserBuffers(Ranges, abstract=True):
    """Linux before 5.12: the child shares pages that a device may be writing to."""

    forks = Var(bool)
    copy_on_write = Var(bool, ghost=True)
    moved = PerThread(bool, ghost=True)

    @operation()
    def fork(self):
        self.forks = True
        self.copy_on_write = self.copy_page_range()

    def copy_page_range(self):
        """Whether parent and child share the page of the buffers from now on."""
        return True

    @operation()
    def store_beside_buffer(self):
        """Store into the page of the buffers, beside them."""
        self.forks = False
        for t in threads():
            self.moved[t] = self.moved[t] or self.copy_on_write
        self.copy_on_write = False
