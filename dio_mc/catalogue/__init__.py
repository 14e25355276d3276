"""A page per diagnostic code: what ``dio-mc help DIO104`` prints."""

from __future__ import annotations

from typing import Final

from dio_mc.catalogue import any_number, findings, machines, models, usage
from dio_mc.catalogue.page import Page

__all__ = ["PAGES", "Page"]

_INTERNAL: Final = {
    "DIO900": Page(
        "internal error",
        "A fault of dio-mc, not of the model: an engine's answer did not replay, or an unexpected exception. The "
        "exit code is 4, and other models of the same command keep their verdicts. DIO_MC_DEBUG=1 shows a traceback.",
    ),
}

PAGES: Final[dict[str, Page]] = {
    **models.PAGES,
    **usage.PAGES,
    **any_number.PAGES,
    **machines.PAGES,
    **findings.PAGES,
    **_INTERNAL,
}
