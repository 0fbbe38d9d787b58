"""How long a look at idle waits, and how long it lasts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.core.calibration import Decay
from bench.measurement import idle
from bench.measurement.idle import settling_s
from tests.store.calibrations import known


@pytest.mark.parametrize(("time_constant_s", "waited_s"), [(2.0, 8.0), (15.0, 10.0), (0.5, 3.0), (None, 3.0)])
def test_a_calibrated_card_is_given_the_time_that_it_settles_in(
    time_constant_s: float | None, waited_s: float
) -> None:
    decay = Decay(idle_w=70.0, above_idle_w=40.0, time_constant_s=time_constant_s)
    assert settling_s(3.0, [None, known(), known(decay=decay)]) == waited_s


def test_an_uncalibrated_card_is_given_the_time_that_was_set() -> None:
    assert settling_s(3.0, [None]) == settling_s(3.0, []) == 3.0


class Sampled:
    """A recorder of one card: 23 samples a second of 60 W, with noise of `sd_w` from second to second."""

    def __init__(self, sd_w: float) -> None:
        self._sd_w = sd_w

    def fast(self, _gpu: int, start_ns: int, end_ns: int, _field: str) -> tuple[Any, Any]:
        t_ns = np.arange(start_ns, end_ns, 43_478_261)
        seconds = (t_ns - start_ns) // 1_000_000_000
        noise_w = np.random.default_rng(1).normal(0, self._sd_w, int(seconds[-1]) + 1)
        return t_ns, 60.0 + noise_w[seconds]


def idling(sd_w: float, gpus: int = 1) -> Any:
    cards = [SimpleNamespace(index=number) for number in range(gpus)]
    return SimpleNamespace(recorder=Sampled(sd_w), gpu=SimpleNamespace(gpus=cards))


def test_the_error_of_a_look_falls_with_its_seconds_and_grows_with_the_cards() -> None:
    short, long = (idle.error_of_mean_w(idling(2.0), 0, seconds * 10**9) for seconds in (5, 101))
    assert short is not None
    assert long is not None
    assert long == pytest.approx(0.2, rel=0.2)
    assert short > 2 * long
    both = idle.error_of_mean_w(idling(2.0, gpus=2), 0, 101 * 10**9)
    assert both == pytest.approx(long * 2**0.5)
    assert idle.error_of_mean_w(idling(2.0, gpus=0), 0, 10**10) is None


@pytest.mark.parametrize(
    ("sd_w", "enough_w", "seconds", "waited_s"),
    [(0.2, 0.6, 10.0, 5.0), (30.0, 0.6, 10.0, 10.0), (0.2, 0.6, 2.0, 2.0), (0.2, None, 10.0, 10.0)],
)
def test_a_look_at_idle_ends_when_its_power_is_known_well_enough(
    monkeypatch: pytest.MonkeyPatch, sd_w: float, enough_w: float | None, seconds: float, waited_s: float
) -> None:
    now_s = [0.0]
    clock = SimpleNamespace(
        sleep=lambda length_s: now_s.__setitem__(0, now_s[0] + length_s),
        monotonic_ns=lambda: round(now_s[0] * 1e9),
    )
    monkeypatch.setattr(idle, "time", clock)
    idle._wait(idling(sd_w), 0, seconds, enough_w)
    assert now_s[0] == pytest.approx(waited_s)
