"""Writers, and whoever frees blocks, have `i_mutex` (2.6.16 to 4.6; the semaphore `i_sem` before,
`i_rwsem` after).
"""

from directio import DirectIO

from dio_mc import Mutex, operation


class InodeMutex(DirectIO, abstract=True):
    """By default a direct write holds it until it is submitted."""

    i_mutex = Mutex()

    @operation(kernel="kernel/locking/mutex.c:mutex_lock @3.16-")
    def lock_inode(self):
        self.i_mutex.lock()

    @operation(kernel="kernel/locking/mutex.c:mutex_unlock @3.16-")
    def unlock_inode(self):
        self.i_mutex.unlock()
