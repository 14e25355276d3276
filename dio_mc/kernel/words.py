"""The enums of the vocabulary."""

from enum import Enum


class Slot(Enum):
    """The state of the page cache at an index."""

    ABSENT = 0
    FILLING = 1  # locked, not uptodate
    UPTODATE = 2


class Block(Enum):
    """The state of the file's block map at an index."""

    HOLE = 0
    DELALLOC = 1
    UNWRITTEN = 2
    MAPPED = 3
    BEYOND = 4  # past the end of the file


class Owner(Enum):
    """The owner of a disk block."""

    FILE = 0
    NOBODY = 1
    OTHER_FILE = 2


class Data(Enum):
    """The contents of a page or block, or the result of a read. `STALE` belongs to the block's
    previous owner, `SECRET` to its next one.

    `TORN`: its sectors, or the pages of one call, differ. `UNTOUCHED`: a user's buffer after a read
    whose data went elsewhere. `SHORT`: a read of several pages that met the end of the file after
    the first.
    """

    NOTHING = 0
    STALE = 1
    ZERO = 2
    OLD = 3
    NEW = 4
    NEWER = 5
    SECRET = 6
    EIO = 7
    EOF = 8
    TORN = 9
    UNTOUCHED = 10
    SHORT = 11
