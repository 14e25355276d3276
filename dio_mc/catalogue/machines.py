"""Errors of real kernels and of `fix`."""

from __future__ import annotations

from typing import Final

from dio_mc.catalogue.page import Page

PAGES: Final[dict[str, Page]] = {
    "DIO281": Page(
        "a program is missing",
        "Guests need qemu-system-x86_64, a C compiler with the static C library, and the mkfs of the file system. "
        "The hint names the missing Debian package.",
    ),
    "DIO282": Page(
        "no such kernel",
        "--kernel takes a vmlinuz for x86-64, an installed release, a folder with unpacked kernel packages, or the "
        "first digits of a release that tools/kernels has downloaded.",
        "dio-mc confirm TRACE.json --kernel 6.12",
    ),
    "DIO283": Page(
        "a module is missing",
        "The kernel has a file system or virtio driver neither built in nor as a module near the image. Debian's "
        "cloud kernels have ext4, XFS, btrfs and virtio.",
    ),
    "DIO284": Page(
        "guest lost",
        "QEMU has ended, or the guest does not boot, does not answer, or reports a kernel bug (which is then shown, "
        "and is a finding). Results of other kernels are kept.",
    ),
    "DIO285": Page(
        "cannot be run on a real kernel",
        "The model has no kernel=Kernel(...) in its expect(...), this binding lacks a thread or a property, a "
        "workload does something other than a plain list of system calls, or the file system is not supported.",
    ),
    "DIO286": Page(
        "no disk for the guest",
        "The image of a guest's disk cannot be written, or its file system cannot be made. The image is in TMPDIR "
        "and takes 64 MiB (ext3, ext4) or 320 MiB (XFS, btrfs).",
    ),
    "DIO287": Page(
        "this host cannot be observed",
        "observe --host mounts a file system image through a loop device, which needs root and, in a container, "
        "permission to mount. It runs all threads at once, so it needs --stress. A guest needs none of this.",
    ),
    "DIO291": Page(
        "nothing to fix",
        "The class holds as it is, or the property given with --property does. It may be violated with other "
        "parameters: --param.",
    ),
    "DIO292": Page(
        "violation without a possible fix",
        "A fix restricts or reorders what threads do. This cannot make an unreachable state (@reachable) reachable: "
        "change the code or the initial values of the model.",
    ),
    "DIO293": Page(
        "unknown property",
        "--property takes a property of the class, `deadlock`, or a kind of fault.",
    ),
    "DIO294": Page(
        "several classes to choose from",
        "`dio-mc fix` works on one class. The file has no violated class, or several: choose one with --model.",
    ),
    "DIO295": Page(
        "a fix cannot be written",
        "A fix is written as a subclass in a file beside the model, which it imports. This is impossible if the "
        "model's file has the name of a Python module or a name that is not an identifier, or if a class or value of "
        "the model is not defined at the top level of its file.",
    ),
    "DIO296": Page(
        "cannot write the fix there",
        "--write takes the name of a new Python file in the folder of the model.",
    ),
}
