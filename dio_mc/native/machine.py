"""LLVM IR text -> functions that can be called: the only place that names llvmlite.

Object code is kept below the user's cache folder, by a hash of the text, the versions and the processor. A cache that
cannot be read or written is bypassed with one warning; what is in it and broken is made again.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from dio_mc import __version__

FUNCTIONS: Final = {
    "expand": 1,
    "insert_all": 3,
    "grow": 2,
    "examine": 3,
    "prune": 4,
    "fill": 2,
    "survey": 1,
    "reduce_all": 3,
}
"""Name -> number of arguments."""
_MARK: Final = b"dio-mc object\n"


class CacheWarning(UserWarning):
    """The cache of compiled code cannot be used."""


def available() -> bool:
    """Whether llvmlite is installed."""
    return importlib.util.find_spec("llvmlite") is not None


class Machine:
    """Compiled functions; they live as long as this object."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.call: dict[str, Callable[..., int]] = {}
        for name, count in FUNCTIONS.items():
            address = engine.get_function_address(name)
            self.call[name] = ctypes.CFUNCTYPE(ctypes.c_int64, *([ctypes.c_int64] * count))(address)


def compile_text(text: str) -> Machine:
    """The functions of a module."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    target = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=2, jit=True)
    versions = ".".join(map(str, llvm.llvm_version_info))
    key = hashlib.sha256("\0".join([text, __version__, versions, cpu, features]).encode()).hexdigest()
    empty = llvm.parse_assembly("")
    cached = _read(key)
    if cached is not None:
        try:
            engine = llvm.create_mcjit_compiler(empty, target)
            engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(cached))
            engine.finalize_object()
            return Machine(engine)
        except RuntimeError:
            empty = llvm.parse_assembly("")
    code = _optimised(llvm, text, target)
    _write(key, code)
    engine = llvm.create_mcjit_compiler(empty, target)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Machine(engine)


def _optimised(llvm: Any, text: str, target: Any) -> bytes:
    """Object code."""
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    passes = llvm.create_pass_builder(target, options)
    passes.getModulePassManager().run(module, passes)
    code: bytes = target.emit_object(module)
    return code


# -- the cache ---------------------------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where object code is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "dio-mc" / "native"


def _read(key: str) -> bytes | None:
    """Object code, if it is there and whole."""
    try:
        data = (cache_folder() / key).read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:
        _warn(error)
        return None
    head = len(_MARK)
    digest, code = data[head : head + 32], data[head + 32 :]
    whole = data[:head] == _MARK and hashlib.sha256(code).digest() == digest
    return code if whole else None


def _write(key: str, code: bytes) -> None:
    """Keep object code, all of it or nothing."""
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(_MARK + hashlib.sha256(code).digest() + code)
        os.replace(name, folder / key)
    except (OSError, RuntimeError) as error:
        _warn(error)


_warned: list[str] = []


def _warn(error: Exception) -> None:
    if not _warned:
        _warned.append(str(error))
        warnings.warn(f"compiled code is not cached: {error}", CacheWarning, stacklevel=2)
