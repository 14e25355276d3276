"""Python source -> IR: load a file, build a class. Bodies are compiled through `ast`, never run."""

from dio_mc.frontend.build import Built, build
from dio_mc.frontend.load import LoadedModule, load_module

__all__ = ["Built", "LoadedModule", "build", "load_module"]
