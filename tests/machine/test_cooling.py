"""Cards cool before a case begins, for as long as it is worth."""

from __future__ import annotations

import pytest

from bench.core.provenance import GpuState
from bench.machine import cooling
from bench.meters.gpu import Gpu

GPU = Gpu(0, "GPU-a", "a card")
OTHER = Gpu(1, "GPU-b", "a card without a thermometer")


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the card answers, look by look; the last one for ever."""
    values: list[float] = []

    def snapshot(gpu: Gpu) -> GpuState:
        if gpu is OTHER:
            return GpuState(temperature_c=None)
        return GpuState(temperature_c=values.pop(0) if len(values) > 1 else values[0])

    monkeypatch.setattr(Gpu, "snapshot", snapshot)
    monkeypatch.setattr(cooling, "LOOK_S", 0.001)
    return values


def test_it_waits_until_the_card_is_in_the_band(readings: list[float]) -> None:
    readings += [60.0, 50.0, 42.9]
    start = cooling.cool_down([GPU, OTHER], {"GPU-a": 40.0}, 3.0, longest_s=5.0)
    assert start.within_band
    assert start.temperature_c == {"GPU-a": 42.9}
    assert start.waited_s > 0


def test_it_gives_up_in_time_and_says_so(readings: list[float]) -> None:
    readings += [60.0]
    start = cooling.cool_down([GPU], {"GPU-a": 40.0}, 3.0, longest_s=0.02)
    assert not start.within_band
    assert start.temperature_c == {"GPU-a": 60.0}


@pytest.mark.parametrize("wanted", [{}, {"GPU-a": 70.0}], ids=["nothing to compare with", "colder already"])
def test_what_needs_no_cooling_is_not_waited_for(readings: list[float], wanted: dict[str, float]) -> None:
    readings += [60.0]
    assert cooling.cool_down([GPU], wanted, 3.0, longest_s=60.0).waited_s < 1.0


def test_without_cards_there_is_nothing_to_cool() -> None:
    assert cooling.cool_down([], {}, 3.0, longest_s=60.0).within_band
