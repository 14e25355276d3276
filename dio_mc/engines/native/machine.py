"""LLVM IR text -> functions that can be called: the only place that names llvmlite.

Object code is kept (`cache`) by a hash of the text, the versions and the processor.
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
"""Name -> number of arguments."""


Exceeded = Callable[[], Stop | None]
"""Asked whether a limit is met."""


def unlimited() -> Stop | None:
    """No limit."""
    return None


def missing() -> str | None:
    """Why there is no machine code here, or None where there is."""
    try:
        import llvmlite.binding  # noqa: F401  # whether it can be imported is the question
    except ModuleNotFoundError:
        return "llvmlite is not installed (pip install llvmlite)"
    except (ImportError, OSError, RuntimeError) as error:
        return f"llvmlite does not load: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    return None


class Machine:
    """Compiled functions; they live as long as this object. `optimised`, or quickly made."""

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
    """The functions of a module, with the number of arguments of each. `note` is told where compiled code cannot be
    kept. `quick` code is made in a tenth of the time and runs up to twice as long: for a search that may be short.
    Where optimised code is kept it is taken."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    code, optimised = _code(llvm, text, note, quick=quick)
    machine = Machine(_loaded(llvm, code), functions, optimised=optimised)
    if machine.optimised:  # what is large is to come, and the compiler as large as two million states
        let_go_of_code("llvmlite")
    return machine


def _code(llvm: Any, text: str, note: Note, *, quick: bool) -> tuple[bytes, bool]:
    """Object code, kept or made, and whether it is optimised."""
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
    """The object code of a module for this machine."""
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
    """Object code, made by instruction selection without any search for better ones."""
    target = _target(llvm, cpu, features, 0)
    manager = llvm.create_new_module_pass_manager()
    manager.add_always_inliner_pass()
    manager.add_sroa_pass()
    manager.add_simplify_cfg_pass()
    return _emitted(llvm, text, target, manager)


def _optimised(llvm: Any, text: str, target: Any) -> bytes:
    """Object code, as good as it gets."""
    passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2))
    return _emitted(llvm, text, target, passes.getModulePassManager())


def _emitted(llvm: Any, text: str, target: Any, manager: Any) -> bytes:
    module = llvm.parse_assembly(text)
    module.verify()
    manager.run(module, llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=2)))
    code: bytes = target.emit_object(module)
    return code
