"""Kernel images and their modules: what ``--kernel`` may name, and which modules are loaded in which order.

A kernel is a ``vmlinuz``, an installed release, a folder into which packages were unpacked (``boot/``, ``lib/``,
``usr/lib/``), or a prefix of a release that ``tools/kernels`` has fetched. Dependencies are read from the modules
themselves (``depends=`` in ``.modinfo``, written by scripts/mod/modpost.c:add_depends), so no ``modules.dep`` is
needed.
"""

from __future__ import annotations

import gzip
import lzma
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dio_mc.errors import usage_error

ALWAYS: Final = ("virtio_pci", "virtio_blk", "virtio_console")
"""Needed by every guest, as modules or built in."""
CHECKSUMS: Final = ("crc32c_generic", "crc32c_intel", "crc32c_cryptoapi", "crc32_generic", "xxhash_generic")
"""Requested by name when file systems are mounted; which of them exist depends on the release."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """An image, its release (``6.12.117+deb12-cloud-amd64``) and the folder of its modules, if there is one."""

    release: str
    image: Path
    modules: Path | None
    index: dict[str, Path] = field(default_factory=dict, compare=False, repr=False)

    @property
    def version(self) -> tuple[int, int]:
        """The version as numbers: ``(6, 12)``."""
        found = re.match(r"(\d+)\.(\d+)", self.release)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def short(self) -> str:
        """The version for headings: ``6.12``."""
        return ".".join(map(str, self.version))


def fetched_folder() -> Path:
    """The folder of the kernels that ``tools/kernels`` has fetched."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "dio-mc" / "kernels"


def find_kernel(name: str) -> Kernel:
    """The kernel that ``--kernel NAME`` refers to. Raises `ModelError` DIO282 if there is none."""
    path = Path(name)
    if path.is_file():
        return _from_image(path)
    if path.is_dir():
        return _from_folder(path, name)
    installed = Path("/boot") / f"vmlinuz-{name}"
    if installed.is_file():
        return _from_image(installed)
    beginnings = [d for d in fetched() if d.name == name or re.match(re.escape(name) + r"[.\-+]", d.name)]
    if beginnings and "/" not in name:
        return _from_folder(beginnings[-1], name)
    have = ", ".join(d.name for d in fetched())
    hint = f"there are: {have}" if have else "fetch one with `tools/kernels 6.12`"
    raise usage_error("DIO282", f"no kernel `{name}`: no image, folder or release is called this", hint=hint)


def fetched() -> list[Path]:
    """The fetched kernels, oldest release first."""
    folder = fetched_folder()
    found = [d for d in folder.iterdir() if d.is_dir()] if folder.is_dir() else []
    return sorted(found, key=lambda d: [int(n) for n in re.findall(r"\d+", d.name)])


def _from_image(image: Path) -> Kernel:
    release = _release_in(image)
    beside = image.resolve().parent
    places = [beside.parent, beside, Path("/"), beside.parent / "usr"]
    found = (place / "lib" / "modules" / release for place in places)
    candidates = [beside, *found] if (beside / "kernel").is_dir() else list(found)
    return Kernel(release, image, next((p for p in candidates if (p / "kernel").is_dir()), None))


def _from_folder(folder: Path, name: str) -> Kernel:
    images = [*folder.glob("boot/vmlinuz*"), *folder.glob("usr/lib/modules/*/vmlinuz"), *folder.glob("vmlinuz*")]
    if not images:
        raise usage_error("DIO282", f"no kernel in `{name}`: neither boot/vmlinuz-* nor usr/lib/modules/*/vmlinuz",
                          hint="unpack the linux-image package here with `dpkg-deb -x`; from 7.2 on linux-base, "
                          "linux-binary and linux-modules as well")  # fmt: skip
    image = images[0]
    release = _release_in(image)
    roots = (folder / "lib/modules", folder / "usr/lib/modules")
    return Kernel(release, image, next((r / release for r in roots if (r / release / "kernel").is_dir()), None))


def is_image(path: Path) -> bool:
    """Whether a file begins like an x86 kernel image."""
    with path.open("rb") as file:
        return file.read(0x206)[0x202:] == b"HdrS"


def _release_in(image: Path) -> str:
    """The release in the header of an x86 image (Documentation/arch/x86/boot.rst, `kernel_version`)."""
    try:
        with image.open("rb") as file:
            head = file.read(0x10000)
    except OSError as error:
        raise usage_error("DIO282", f"cannot be read: {error.strerror}", file=str(image)) from None
    if head[0x202:0x206] != b"HdrS":
        words = "not a kernel image for x86-64"
        raise usage_error("DIO282", words, file=str(image), hint="a vmlinuz or bzImage is wanted, not a vmlinux")
    at = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    return head[at : head.find(b"\0", at)].decode(errors="replace").split(" ")[0]


# -- modules ---------------------------------------------------------------------------------------------------------


def modules_for(kernel: Kernel, file_system: str) -> dict[str, bytes]:
    """The modules that a guest loads, in order, by file name, without those built in. Raises `ModelError` DIO283 for
    one that is neither built in nor available."""
    builtin = _builtin(kernel)
    found = dict(kernel.index) or _index(kernel)
    ordered: dict[str, bytes] = {}
    driver = "ext4" if file_system in ("ext2", "ext3", "ext4") else file_system
    for name in (*ALWAYS, *CHECKSUMS, driver):
        if name in found:
            _add(name, found, ordered, builtin)
        elif name not in builtin and name not in CHECKSUMS:
            where = str(kernel.modules) if kernel.modules else f"a folder lib/modules/{kernel.release} near the image"
            words = f"the kernel {kernel.release} has no `{name}`, neither built in nor as a module"
            raise usage_error("DIO283", words, hint=f"looked in {where}")
    return ordered


def _add(name: str, found: dict[str, Path], ordered: dict[str, bytes], builtin: set[str]) -> None:
    file = f"{name}.ko"
    if file in ordered:
        return
    data = _unpacked(found[name])
    for needed in depends(data):
        if needed in found:
            _add(needed, found, ordered, builtin)
        elif needed not in builtin:
            raise usage_error(
                "DIO283", f"the module `{name}` needs `{needed}`, which is not there", file=str(found[name])
            )
    ordered[file] = data


def depends(module: bytes) -> tuple[str, ...]:
    """The modules that a module depends on."""
    found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", module)
    return tuple(_plain(name) for name in found[1].decode().split(",") if name) if found else ()


def _index(kernel: Kernel) -> dict[str, Path]:
    if kernel.modules is None:
        return {}
    files = sorted(p for p in (kernel.modules / "kernel").rglob("*.ko*"))
    return {_plain(p.name.split(".ko")[0]): p for p in files}


def _builtin(kernel: Kernel) -> set[str]:
    listed = kernel.modules / "modules.builtin" if kernel.modules else None
    if listed is None or not listed.is_file():
        return {"ext4", *ALWAYS}  # not recorded in the image; if one is missing, the guest reports it
    return {_plain(Path(line).name.split(".ko")[0]) for line in listed.read_text().split()}


def _plain(name: str) -> str:
    return name.replace("-", "_")


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    readers: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress, ".zst": _zstd}
    return readers.get(path.suffix, bytes)(data)


def _zstd(data: bytes) -> bytes:
    tool(["zstd"], "zstd")
    return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout


def tool(names: Sequence[str], package: str) -> str:
    """The first of these programs that is installed. Raises `ModelError` DIO281, which names the package that contains
    it."""
    places = os.environ.get("PATH", "") + os.pathsep + os.pathsep.join(("/usr/sbin", "/sbin"))
    for name in names:
        found = shutil.which(name, path=places)
        if found:
            return found
    raise usage_error("DIO281", f"no `{names[0]}` here", hint=f"install the package {package}")
