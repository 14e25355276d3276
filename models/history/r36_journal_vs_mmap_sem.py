"""Direct IO pins user pages inside a transaction (R36, ext3 and ext4).

The direct IO holds a handle of the journal and takes `mmap_sem` to pin its buffer; a page fault holds
`mmap_sem` and starts a handle. Both are shared, so a deadlock also needs a thread that wants each exclusively:
a commit, which blocks new handles and waits for the open ones, and an mmap(2). Then all four deadlock.
bd1939de9061 and 7fb5409df092 (Feb 2008): one short transaction for each get_block. The commit message also
argues that a crash then exposes no stale data, which would need a model with persistence (not done here).

Assertions state what the two locks protect: no handle is open while the journal commits, and no mapping is
looked up while it is changed. Without them a model with no locks at all would hold. The mutants that survive
do not commit, do not change a mapping or do not pin the buffer: no property requires that these steps happen.
"""

from dio_mc import Model, RWSem, Var, expect, operation, thread


class OneTransaction(Model):
    """Before 7fb5409df092."""

    journal = RWSem(writer_preference=True)
    mmap_sem = RWSem(writer_preference=True)
    committing = Var(bool)
    remapping = Var(bool)

    @thread
    def direct_io(self):
        self.write()

    @operation(kernel="fs/ext3/inode.c:ext3_direct_IO @-4.2")
    def write(self):
        self.journal.down_read()
        self.get_user_pages()
        self.journal.up_read()

    @operation(kernel="mm/memory.c:get_user_pages @-2.6.27")
    def get_user_pages(self):
        self.mmap_sem.down_read()
        assert not self.remapping
        self.mmap_sem.up_read()

    @thread
    def faulter(self):
        self.mmap_sem.down_read()
        self.page_mkwrite()
        assert not self.remapping
        self.mmap_sem.up_read()

    @operation(kernel="fs/jbd/transaction.c:journal_start @-3.16")
    def page_mkwrite(self):
        self.journal.down_read()
        assert not self.committing
        self.journal.up_read()

    @thread
    def committer(self):
        self.journal.down_write()
        self.committing = True
        self.committing = False
        self.journal.up_write()

    @thread
    def mapper(self):
        self.mmap_sem.down_write()
        self.remapping = True
        self.remapping = False
        self.mmap_sem.up_write()


class TransactionPerBlock(OneTransaction):
    """The fix, 7fb5409df092."""

    @operation(kernel="fs/ext3/inode.c:ext3_get_block @-4.2")
    def write(self):
        self.get_user_pages()
        self.journal.down_read()
        assert not self.committing
        self.journal.up_read()


expect(OneTransaction, violates={"deadlock"})
expect(TransactionPerBlock, holds=True, any="all")
