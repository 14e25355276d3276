"""One headless Chromium for all tests of a process: Debian's `chromium` and `chromium-driver` through selenium."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--window-size=1440,900",
)  # fmt: skip
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


def missing() -> str:
    """The reason why there is no browser to test in; empty if there is one."""
    if BROWSER is None or DRIVER is None:
        return "no chromium and chromedriver here (Debian: apt-get install chromium chromium-driver)"
    try:
        import selenium  # noqa: F401 - whether it is there is the question
    except ImportError:
        return "no selenium here (pip install dio-mc[test])"
    return ""


needed = pytest.mark.skipif(bool(missing()), reason=missing())


@cache
def browser() -> Any:
    """The browser, started once and ended with the process."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    profile = tempfile.mkdtemp(prefix="dio-mc-chromium-")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER or ""
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    @atexit.register
    def _end() -> None:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)

    return driver


def complaints(driver: Any) -> list[str]:
    """The messages of the console since the last call."""
    return [entry["message"] for entry in driver.get_log("browser")]


def axe_text() -> str:
    """The script of axe-core."""
    return AXE.read_text(encoding="utf-8") if AXE is not None else ""


def _axe() -> Path | None:
    spec = find_spec("axe_core_python")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return next((path for place in places if (path := Path(place) / "axe.min.js").is_file()), None)


AXE = _axe()
axe_needed = pytest.mark.skipif(AXE is None, reason="no axe-core here (pip install dio-mc[test])")
