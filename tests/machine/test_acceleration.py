"""KVM where it boots a kernel, QEMU's translator else; on guests that are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.machine import guest, session
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.guest import TCG, Guest
from dio_mc.machine.images import Kernel
from dio_mc.machine.session import Session

KERNEL = Kernel("6.12.1-x", Path("vmlinuz"), None)


class Runner:
    def __init__(self, of: Guest, wanted: list[str]) -> None:
        if of.__dict__["on"] == "kvm" and BAD_FOR_GATES:
            raise GuestLost("no breakpoints")


BAD_FOR_GATES: list[bool] = []


@pytest.fixture
def booted(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[str]:
    """What guests were booted on; the parameters are those that fail."""
    tried: list[str] = []

    def boot(self: Guest, acceleration: str, seconds: float) -> None:
        tried.append(acceleration)
        if acceleration in request.param:
            raise GuestLost("emulation failure")
        self.__dict__["on"] = acceleration
        self._process = object()  # type: ignore[assignment]

    monkeypatch.setattr(Guest, "_boot", boot)
    monkeypatch.setattr(Guest, "close", lambda self: setattr(self, "_process", None))
    monkeypatch.setattr(Guest, "explained", lambda self, lost: lost)
    monkeypatch.setattr(Guest, "kvm_is_good", None)
    monkeypatch.setattr(guest.os, "access", lambda path, mode: True)
    monkeypatch.setattr(session, "Runner", Runner)
    BAD_FOR_GATES[:] = [True] if "gates" in request.param else []
    return tried


@pytest.mark.parametrize("booted", [()], indirect=True)
def test_kvm_where_it_works(booted: list[str]) -> None:
    for _ in range(2):
        assert Session(KERNEL, "ext4").runner is not None
    assert booted == ["kvm", "kvm"]


@pytest.mark.parametrize("booted", [("kvm",)], indirect=True)
def test_a_device_that_boots_nothing_is_tried_once(booted: list[str]) -> None:
    for _ in range(2):
        assert Session(KERNEL, "ext4").runner is not None
    assert booted == ["kvm", TCG, TCG]


@pytest.mark.parametrize("booted", [("kvm",)], indirect=True)
def test_a_signal_while_a_guest_that_failed_is_closed(booted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    def close(self: Guest) -> None:
        closed.append(True)
        if len(closed) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Guest, "close", close)
    with pytest.raises(KeyboardInterrupt):
        Guest(KERNEL, "ext4").__enter__()
    assert (booted, closed) == (["kvm"], [True, True])


@pytest.mark.parametrize("booted", [("gates",)], indirect=True)
def test_where_no_gate_can_be_put_the_translator_is_taken(booted: list[str]) -> None:
    assert Session(KERNEL, "ext4").runner is not None
    assert booted == ["kvm", TCG]


@pytest.mark.parametrize("booted", [(TCG,)], indirect=True)
def test_without_the_device_it_is_not_tried(booted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest.os, "access", lambda path, mode: False)
    with pytest.raises(GuestLost):
        Session(KERNEL, "ext4").runner  # noqa: B018  # booting is what it does
    assert booted == [TCG]
