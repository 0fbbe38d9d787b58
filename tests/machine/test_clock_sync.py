"""Synchronisation of this machine's clock, as the kernel states it."""

from __future__ import annotations

import ctypes

import pytest

from bench.machine import provenance
from bench.machine.clock_sync import clock_sync


def test_the_kernel_answers_or_the_reason_is_given() -> None:
    seen = clock_sync()
    if seen.synchronised is None:
        assert seen.absent["synchronised"].startswith("adjtimex failed: ")
    else:
        assert seen.max_error_s is not None
        assert 0 <= seen.max_error_s <= 16.0, "NTP_PHASE_LIMIT of the kernel"
        assert not seen.absent


def test_a_container_that_forbids_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        @staticmethod
        def adjtimex(_: object) -> int:
            ctypes.set_errno(1)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Refusing)
    seen = clock_sync()
    assert seen.synchronised is None
    assert seen.absent == {"synchronised": "adjtimex failed: Operation not permitted"}


def test_every_record_has_it() -> None:
    clock = provenance.surroundings(()).clock
    assert clock is not None
    assert clock.sync is not None
