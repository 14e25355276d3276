"""The values that the vocabulary speaks of."""

from enum import Enum


class Slot(Enum):
    """What the page cache has at an index."""

    ABSENT = 0
    FILLING = 1  # locked, not uptodate
    UPTODATE = 2


class Block(Enum):
    """What the file's map has at an index."""

    HOLE = 0
    DELALLOC = 1
    UNWRITTEN = 2
    MAPPED = 3
    BEYOND = 4  # past the end of the file


class Owner(Enum):
    """Whose a disk block is."""

    FILE = 0
    NOBODY = 1
    OTHER_FILE = 2


class Data(Enum):
    """What a page, a block, or a read has. `STALE` is of the block's previous owner, `SECRET` of its next one.

    `TORN`: its sectors differ, or those pages that a call was about. `UNTOUCHED`: a user's buffer, after a read whose
    data went somewhere else. `SHORT`: a read of several pages that met the end of the file after the first.
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
