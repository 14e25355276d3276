"""Running the top level of a model file under its own name, with its siblings importable, and without side effects on
this process.

Files in the same folder are found before installed packages, but never instead of the standard library or of what
dio-mc itself imports: a model called ``types.py`` is a model, and ``import types`` means the standard library. Its
output goes to stderr, because stdout is for reports. `os._exit` does not end the process.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

_OURS: Final = frozenset({"click", "dio_mc", "llvmlite", "networkx", "pytest", "z3"})
PROTECTED: Final = _OURS | sys.stdlib_module_names
"""Top-level module names that a model cannot redefine."""


def run_file(file: Path) -> ModuleType:
    """Import a file (an absolute path). Exceptions of its top level are passed on, including `SystemExit`."""
    root, name = _module_name(file)
    _evict_namesakes(root)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with _siblings_of(root), _no_bytecode(), redirect_stdout(sys.stderr), _no_exit():
            spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def imported(file: Path) -> ModuleType | None:
    """The module that was loaded from this file (an absolute path), or None."""
    known = sys.modules.get(_module_name(file)[1])
    origin = getattr(known, "__file__", None)
    return known if origin is not None and Path(origin).resolve() == file else None


def forget_file(file: Path) -> None:
    """Make the next import of the file (an absolute path) run it again, under whatever name."""
    known = imported(file)
    if known is not None:
        for name in [name for name, module in sys.modules.items() if module is known]:
            del sys.modules[name]


def run_beside(file: Path) -> ModuleType:
    """The module of a file in another folder, imported by a file that is being run. Raises as `run_file` does."""
    global _last_root
    known = imported(file)
    if known is not None:
        return known
    outer, _last_root = _last_root, None
    try:
        return run_file(file)
    finally:
        _last_root = None
        if outer is not None:
            _evict_namesakes(outer)


def _module_name(file: Path) -> tuple[Path, str]:
    """The nearest ancestor folder without ``__init__.py``, and the dotted module name relative to it, as siblings
    import it."""
    parts = [file.stem]
    folder = file.parent
    while (folder / "__init__.py").exists() and folder.parent != folder:
        parts.append(folder.name)
        folder = folder.parent
    name = ".".join(reversed(parts))
    return folder, f"model file {name}" if parts[-1] in PROTECTED else name


_last_root: Path | None = None


def _evict_namesakes(root: Path) -> None:
    """Remove modules from `sys.modules` that were imported from another folder and have the name of a module in
    `root`, since two folders of models may both have a ``pagecache.py``.

    Classes that were loaded from them continue to work, because nothing looks them up by module later. Files of one
    folder are loaded in a row, so the folder is listed once for all of them.
    """
    global _last_root
    if root == _last_root:
        return
    _last_root = root
    for sibling in root.glob("*.py"):
        known = sys.modules.get(sibling.stem)
        origin = getattr(known, "__file__", None)
        if known is None or origin is None or Path(origin).resolve() == sibling.resolve():
            continue
        if sibling.stem not in PROTECTED and not hasattr(known, "__path__"):
            del sys.modules[sibling.stem]


class _Siblings(MetaPathFinder):
    """Finds the modules and packages of one folder."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module. A folder without ``__init__.py`` is taken only if nothing else has the name, as on Python's
        own path."""
        if path is not None or fullname in PROTECTED:
            return None
        found = PathFinder.find_spec(fullname, [self._root], target)
        if found is None or found.loader is not None:
            return found
        return PathFinder.find_spec(fullname, None, target) or found


@contextmanager
def _siblings_of(root: Path) -> Iterator[None]:
    finder = _Siblings(root)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def _no_bytecode() -> Iterator[None]:
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


@contextmanager
def _no_exit() -> Iterator[None]:
    """Make `os._exit` raise `SystemExit`: a file that ends the process with status 0 would look like a passed check. A
    forked child may exit."""
    real, ours = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if os.getpid() != ours:
            real(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = refuse  # type: ignore[assignment]  # the real one never returns, and nor does this
    try:
        yield
    finally:
        os._exit = real
