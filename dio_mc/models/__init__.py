"""The shipped models as modules: ``from dio_mc.models.protocols.ext4_2020 import Ext4Of2020``.

The name works in a model file, a test and a notebook, from a checkout and from an installed wheel. The files themselves
are loaded as any model file is: their module has the name of the file, so that they find one another, and a class has
one identity however it was imported. What is here are other names of these modules, and where the files are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_PACKAGE = Path(__file__).resolve().parent


def models_folder() -> Path:
    """The models of the repository that this package lies in, else those that were installed with it."""
    beside = _PACKAGE.parent.parent / "models"
    return beside if (beside / "protocols").is_dir() else _PACKAGE


class _OtherName(Loader):
    """Puts the module of a file where the import system takes it from."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def create_module(self, spec: ModuleSpec) -> None:
        """The usual one, which is then replaced."""

    def exec_module(self, module: ModuleType) -> None:
        """Load the file, unless it is loaded."""
        from dio_mc.frontend.importing import run_beside

        sys.modules[module.__name__] = run_beside(self._file)


class _Shipped(MetaPathFinder):
    """Finds ``dio_mc.models.FOLDER`` and ``dio_mc.models.FOLDER.FILE``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for what is not below this package, or not there."""
        if not fullname.startswith(f"{__name__}."):
            return None
        place = models_folder().joinpath(*fullname.split(".")[2:])
        if place.is_dir():
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [str(place)]
            return spec
        file = place.with_name(f"{place.name}.py")
        return ModuleSpec(fullname, _OtherName(file), origin=str(file)) if file.is_file() else None


sys.meta_path.insert(0, _Shipped())
