"""Compiles LLVM IR to callable functions. This is the only file that names llvmlite.

Object code is cached (`cache`) under a hash of the text, the versions of dio-mc and LLVM, and the
processor with its features.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from dio_mc import __version__
from dio_mc.cache import Cache
from dio_mc.engines.native.apart import LARGE, compiled_apart
from dio_mc.memory import let_go_of_code
from dio_mc.semantics.search import Note
from dio_mc.semantics.stop import Stop

FUNCTIONS: Final = {
    "expand": 1,
    "insert_all": 3,
    "rehash": 4,
    "insert_overflow": 1,
    "examine": 3,
    "rest": 4,
    "keep": 3,
    "left_from": 3,
    "survey": 1,
    "gather": 4,
    "reduce_all": 3,
}
"""The exported functions of a program's module and their numbers of arguments, all of them 64-bit
integers or addresses."""
DIVIDED: Final = FUNCTIONS | {"receive": 1}
"""Those of a search whose states are divided among processes."""


Exceeded = Callable[[], Stop | None]
"""Polls a limit: the reason to stop, or None."""


def unlimited() -> Stop | None:
    """The limit that is never reached."""
    return None


def missing() -> str | None:
    """The reason why no machine code can be generated here, or None."""
    try:
        import llvmlite.binding  # noqa: F401  # whether it can be imported is the question
    except ModuleNotFoundError:
        return "llvmlite is not installed (pip install llvmlite)"
    except (ImportError, OSError, RuntimeError) as error:
        return f"llvmlite does not load: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    return None


class Machine:
    """The compiled functions of a module, valid as long as this object. `optimised` tells whether
    the code is optimised; `call` maps names to functions."""

    def __init__(self, engine: Any, functions: Mapping[str, int], *, optimised: bool) -> None:
        self._engine = engine
        self.optimised = optimised
        self.call: dict[str, Callable[..., int]] = {}
        for name, count in functions.items():
            address = engine.get_function_address(name)
            self.call[name] = ctypes.CFUNCTYPE(ctypes.c_int64, *([ctypes.c_int64] * count))(address)


def compile_text(
    text: str, note: Note, *, quick: bool, functions: Mapping[str, int] = MappingProxyType(FUNCTIONS)
) -> Machine:
    """Compile a module; `functions` maps the names of its exported functions to their numbers of
    arguments.

    `quick` code is compiled in a tenth of the time and runs up to twice as long; it is meant for
    searches that may be short. If optimised code is in the cache, it is used instead. `note`
    receives a sentence if the cache is unusable.
    """
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    code, optimised = _code(llvm, text, note, quick=quick)
    machine = Machine(_loaded(llvm, code), functions, optimised=optimised)
    if machine.optimised:  # LLVM's code pages take as much memory as two million states of the search to come
        let_go_of_code("llvmlite")
    return machine


def _code(llvm: Any, text: str, note: Note, *, quick: bool) -> tuple[bytes, bool]:
    """Object code from the cache or the compiler, and whether it is optimised."""
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    versions = ".".join(map(str, llvm.llvm_version_info))
    what = [text, __version__, versions, cpu, features]
    cache = Cache(note)
    for optimised in (True, False) if quick else (True,):
        key = hashlib.sha256("\0".join([*what, str(optimised)]).encode()).hexdigest()
        code = cache.get(key)
        if code is not None:
            return code, optimised
    code = compiled_apart(text, quick=quick) if len(text) > LARGE else object_code(text, quick=quick)
    cache.put(key, code)
    return code, not quick


def object_code(text: str, *, quick: bool) -> bytes:
    """Compile a module for this machine."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    if quick:
        return _quick(llvm, text, cpu, features)
    return _optimised(llvm, text, _target(llvm, cpu, features, 2))


def _target(llvm: Any, cpu: str, features: str, level: int) -> Any:
    return llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=level, jit=True)


def _loaded(llvm: Any, code: bytes) -> Any:
    target = _target(llvm, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), 2)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def _quick(llvm: Any, text: str, cpu: str, features: str) -> bytes:
    """Object code from fast instruction selection, after a few cheap passes."""
    target = _target(llvm, cpu, features, 0)
    manager = llvm.create_new_module_pass_manager()
    manager.add_always_inliner_pass()
    manager.add_sroa_pass()
    manager.add_simplify_cfg_pass()
    return _emitted(llvm, text, target, manager)


def _optimised(llvm: Any, text: str, target: Any) -> bytes:
    """Object code from LLVM's standard pipeline at level 2."""
    passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
    return _emitted(llvm, text, target, passes.getModulePassManager())


def _emitted(llvm: Any, text: str, target: Any, manager: Any) -> bytes:
    module = llvm.parse_assembly(text)
    module.verify()
    manager.run(module, llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2)))
    code: bytes = target.emit_object(module)
    return code
