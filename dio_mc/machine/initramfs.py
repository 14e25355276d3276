"""An initramfs: a cpio archive in the `newc` format (Documentation/driver-api/early-userspace/buffer-format.rst)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DIRECTORY, FILE = 0o040755, 0o100755


def archive(files: Mapping[str, bytes], folders: Sequence[str] = ()) -> bytes:
    """The archive with these folders, then these files (paths without a leading slash). Everything belongs to root and
    is executable."""
    parts = [_entry(path, DIRECTORY, b"", number) for number, path in enumerate(folders, start=1)]
    parts += [_entry(path, FILE, data, number) for number, (path, data) in enumerate(files.items(), len(parts) + 1)]
    return b"".join([*parts, _entry("TRAILER!!!", 0, b"", 0)])


def _entry(path: str, mode: int, data: bytes, inode: int) -> bytes:
    """Header, name and contents, the last two padded to a multiple of four bytes."""
    name = path.encode() + b"\0"
    links = 2 if mode == DIRECTORY else 1
    fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(head + name) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
