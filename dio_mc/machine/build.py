"""The files that a guest boots from: the initramfs with its single program, and a disk whose file system lies on
previously used blocks."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dio_mc.errors import usage_error
from dio_mc.machine.images import Kernel, fetched_folder, modules_for, tool
from dio_mc.machine.initramfs import archive

INSIDE: Final = Path(__file__).parent / "inside"
"""The C sources of the program that runs inside a guest."""
SOURCES: Final = ("guest.c", "gate.c", "calls.c", "schedule.c", "init.c")
PATTERN: Final = b"\xaa"
"""The content of every block before the file system was made."""
MAKERS: Final[dict[str, tuple[str, str, int, tuple[str, ...]]]] = {
    "ext3": ("mkfs.ext3", "e2fsprogs", 64, ("-q", "-F", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0")),
    "ext4": ("mkfs.ext4", "e2fsprogs", 64, ("-q", "-F", "-b", "4096", "-E", "nodiscard,lazy_itable_init=0")),
    "xfs": ("mkfs.xfs", "xfsprogs", 320, ("-q", "-K", "-f")),
    "btrfs": ("mkfs.btrfs", "btrfs-progs", 320, ("-q", "-K", "-f")),
}
"""For each file system: the mkfs program, the package that contains it, the size in MiB, options. The options keep mkfs
from discarding blocks."""


def guest_program() -> bytes:
    """The static program, compiled with the user's C compiler and cached by a hash of its source."""
    source = b"".join((INSIDE / name).read_bytes() for name in SOURCES)
    kept = fetched_folder().parent / f"guest-{hashlib.sha256(source).hexdigest()[:16]}"
    if kept.is_file():
        return kept.read_bytes()
    compiler = tool(["cc", "gcc", "clang"], "gcc")
    with tempfile.TemporaryDirectory(prefix="dio-mc-") as scratch:
        out = Path(scratch) / "guest"
        command = [compiler, "-O1", "-static", "-w", "-o", str(out), str(INSIDE / SOURCES[0])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise usage_error("DIO281", f"{compiler} cannot make a static program: {_first_error(done.stderr)}",
                              hint="install the package libc6-dev")  # fmt: skip
        program = out.read_bytes()
    _keep(kept, program)
    return program


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if "error" in line or "cannot find" in line]
    return lines[0] if lines else "no error message"


def _keep(path: Path, data: bytes) -> None:
    """Write a cache file atomically. Without a cache folder the program is compiled each time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_bytes(data)
        part.replace(path)
    except OSError:
        return


def initramfs(kernel: Kernel, file_system: str, programs: Mapping[str, bytes] | None = None) -> bytes:
    """The initramfs: the program as ``/init``, the modules that it loads, their order in ``/modules``, and further
    `programs`."""
    modules = modules_for(kernel, file_system)
    order = "".join(f"{name}\n" for name in modules).encode()
    files = {"init": guest_program(), "modules": order, **{f"lib/{name}": data for name, data in modules.items()}}
    files |= programs or {}
    return archive(files, ("dev", "proc", "sys", "lib", "m"))


def private_folder() -> Path:
    """A new folder for images and sockets that other users cannot access. Raises `ModelError` DIO286 if it cannot be
    made."""
    try:
        return Path(tempfile.mkdtemp(prefix="dio-mc-"))
    except OSError as error:
        words = f"no folder for the guest's disk can be made: {error.strerror}"
        raise usage_error("DIO286", words, hint="TMPDIR selects another folder") from None


def write_image(path: Path, data: bytes) -> None:
    """Write an image file. Raises `ModelError` DIO286 if the disk of this machine is full."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise usage_error("DIO286", f"cannot be written: {error.strerror}", file=str(path),
                          hint="TMPDIR selects another folder") from None  # fmt: skip


def make_disk(path: Path, file_system: str) -> None:
    """Make a file system on blocks that all have been used. Raises `ModelError`: DIO285 for a file system without a
    recipe, DIO281 without its ``mkfs``, DIO286 if the disk of this machine is full."""
    if file_system not in MAKERS:
        hint = f"there are: {', '.join(MAKERS)}"
        raise usage_error("DIO285", f"no recipe to make a file system `{file_system}`", hint=hint)
    maker, package, size, options = MAKERS[file_system]
    program = tool([maker], package)
    try:
        with path.open("wb") as disk:
            for _ in range(size):
                disk.write(PATTERN * (1 << 20))
    except OSError as error:
        hint = f"the image takes {size} MiB; TMPDIR selects another folder"
        raise usage_error("DIO286", f"cannot be written: {error.strerror}", file=str(path), hint=hint) from None
    done = subprocess.run([program, *options, str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise usage_error("DIO286", f"{maker} fails: {said[-1] if said else 'no error message'}", file=str(path))
