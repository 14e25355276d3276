"""Which kernel is meant, what it needs, and what is said when something is not there: one sentence each."""

from __future__ import annotations

import lzma
import subprocess
import sys
from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.machine import build, images
from dio_mc.machine.images import Kernel, depends, find_kernel, modules_for, tool

ROOT = Path(__file__).resolve().parents[2]


def image(path: Path, release: str = "6.12.1-test") -> Path:
    """The header of a bzImage, as far as it is read."""
    data = bytearray(0x400)
    data[0x202:0x206] = b"HdrS"
    data[0x20E:0x210] = (0x100).to_bytes(2, "little")
    data[0x300 : 0x300 + len(release) + 10] = release.encode() + b" (someone)"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def module(folder: Path, name: str, needs: str = "") -> None:
    path = folder / "kernel" / f"{name}.ko.xz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(b"\x7fELF..\0license=GPL\0depends=" + needs.encode() + b"\0"))


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A folder into which a package was unpacked."""
    image(tmp_path / "k" / "boot" / "vmlinuz-6.12.1-test")
    modules = tmp_path / "k" / "usr" / "lib" / "modules" / "6.12.1-test"
    for name, needs in (
        ("virtio_blk", ""),
        ("virtio_console", ""),
        ("xfs", "libcrc32c,b-c"),
        ("libcrc32c", ""),
        ("b-c", ""),
    ):
        module(modules, name, needs)
    (modules / "modules.builtin").write_text("kernel/drivers/virtio/virtio_pci.ko\nkernel/fs/ext4/ext4.ko\n")
    return tmp_path / "k"


def said(error: pytest.ExceptionInfo[ModelError]) -> str:
    return str(error.value).replace("\n  hint: ", " / ")


def test_a_kernel_is_a_file_a_folder_or_a_release(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_folder = find_kernel(str(unpacked))
    assert (by_folder.release, by_folder.version, by_folder.short) == ("6.12.1-test", (6, 12), "6.12")
    assert by_folder.modules == unpacked / "usr/lib/modules/6.12.1-test"
    by_file = find_kernel(str(unpacked / "boot" / "vmlinuz-6.12.1-test"))
    assert by_file.modules is None or by_file.modules.name == "6.12.1-test"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for release in ("6.12.9-a", "6.12.10-a", "6.1.300-a"):
        image(tmp_path / "cache" / "dio-mc" / "kernels" / release / "boot" / "vmlinuz", release)
    assert find_kernel("6.12").release == "6.12.10-a"
    assert find_kernel("6.1").release == "6.1.300-a"
    with pytest.raises(ModelError) as error:
        find_kernel("5.10")
    assert said(error) == (
        "dio-mc: error DIO282: no kernel `5.10`: no image, folder or release is called this / "
        "there are: 6.1.300-a, 6.12.9-a, 6.12.10-a"
    )


def test_what_is_no_kernel_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as error:
        find_kernel("6.12")
    assert said(error).endswith("is called this / fetch one with `tools/kernels 6.12`")
    Path("empty").mkdir()
    with pytest.raises(ModelError) as error:
        find_kernel("empty")
    assert said(error).startswith("dio-mc: error DIO282: no kernel in `empty`: neither boot/vmlinuz-*")
    Path("Image").write_bytes(b"MZ" + bytes(0x1000))  # of another architecture
    with pytest.raises(ModelError) as error:
        find_kernel("Image")
    assert said(error) == (
        "Image: error DIO282: not a kernel image for x86-64 / a vmlinuz or bzImage is wanted, not a vmlinux"
    )


def test_modules_come_after_what_they_need(unpacked: Path) -> None:
    kernel = find_kernel(str(unpacked))
    names = list(modules_for(kernel, "xfs"))
    assert names == ["virtio_blk.ko", "virtio_console.ko", "libcrc32c.ko", "b_c.ko", "xfs.ko"]
    assert "ext4.ko" not in modules_for(kernel, "ext3"), "built in"


def test_a_module_that_is_missing_is_named(unpacked: Path) -> None:
    kernel = find_kernel(str(unpacked))
    with pytest.raises(ModelError) as error:
        modules_for(kernel, "btrfs")
    assert said(error) == (
        "dio-mc: error DIO283: the kernel 6.12.1-test has no `btrfs`, neither built in nor as a module / "
        f"looked in {kernel.modules}"
    )
    assert kernel.modules is not None
    module(kernel.modules, "btrfs", "raid6_pq")
    with pytest.raises(ModelError) as error:
        modules_for(kernel, "btrfs")
    assert "DIO283: the module `btrfs` needs `raid6_pq`, which is not there" in said(error)


def test_what_a_module_needs_is_read_in_it() -> None:
    assert depends(b"\0license=GPL\0depends=crc-a,b\0name=x\0") == ("crc_a", "b")
    assert depends(b"\0depends=\0") == ()
    assert depends(b"nothing") == ()


@pytest.mark.parametrize(
    ("names", "package"),
    [(["qemu-system-x86_64"], "qemu-system-x86"), (["mkfs.xfs"], "xfsprogs"), (["cc", "gcc"], "gcc")],
)
def test_a_program_that_is_missing_is_named_with_its_package(
    names: list[str], package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images.shutil, "which", lambda *a, **k: None)
    with pytest.raises(ModelError) as error:
        tool(names, package)
    assert said(error) == f"dio-mc: error DIO281: no `{names[0]}` here / install the package {package}"


def test_no_recipe_and_no_room_for_a_disk(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as error:
        build.make_disk(tmp_path / "disk", "ntfs")
    assert said(error) == (
        "dio-mc: error DIO285: no recipe to make a file system `ntfs` / there are: ext3, ext4, xfs, btrfs"
    )
    if not Path("/usr/sbin/mkfs.ext4").exists() and not Path("/sbin/mkfs.ext4").exists():
        pytest.skip("no mkfs.ext4 here (.ci/run installs e2fsprogs)")
    with pytest.raises(ModelError) as error:
        build.make_disk(Path("/dev/full"), "ext4")
    assert said(error) == (
        "/dev/full: error DIO286: cannot be written: No space left on device / the image takes 64 MiB; TMPDIR selects another folder"
    )


def test_a_compiler_without_the_static_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fake = tmp_path / "cc"
    fake.write_text("#!/bin/sh\necho '/usr/bin/ld: cannot find -lc' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(build, "tool", lambda names, package: str(fake))
    with pytest.raises(ModelError) as error:
        build.guest_program()
    assert said(error) == (
        f"dio-mc: error DIO281: {fake} cannot make a static program: /usr/bin/ld: cannot find -lc / "
        "install the package libc6-dev"
    )


def test_the_command_says_the_same(tmp_path: Path) -> None:
    trace = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
    command = [sys.executable, "-m", "dio_mc", "confirm", str(trace), "--kernel", "no-such"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("dio-mc: error DIO282: no kernel `no-such`: no image, folder or release")


def test_a_kernel_without_folder_of_modules_is_taken_to_have_all_built_in() -> None:
    assert modules_for(Kernel("6.12.1", Path("vmlinuz"), None), "ext4") == {}
