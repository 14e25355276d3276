"""The version of dio-mc and a digest of its engines' source: all parts of a search must run the
same code."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import dio_mc


@cache
def this_version() -> str:
    """The version and the digest, for example ``dio-mc 0.1.0 (1a2b3c4d)``."""
    root = Path(dio_mc.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] == "models":  # a wheel has them here, a checkout elsewhere
            continue
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return f"dio-mc {dio_mc.__version__} ({digest.hexdigest()[:8]})"
