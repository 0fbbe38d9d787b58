"""How long a look at idle waits."""

from __future__ import annotations

import pytest

from bench.records.calibration import Decay
from bench.runner.idle import settling_s
from tests.records.test_calibration import known


@pytest.mark.parametrize(("time_constant_s", "waited_s"), [(2.0, 8.0), (15.0, 10.0), (0.5, 3.0), (None, 3.0)])
def test_a_calibrated_card_is_given_the_time_that_it_settles_in(
    time_constant_s: float | None, waited_s: float
) -> None:
    decay = Decay(idle_w=70.0, above_idle_w=40.0, time_constant_s=time_constant_s)
    assert settling_s(3.0, [None, known(), known(decay=decay)]) == waited_s


def test_an_uncalibrated_card_is_given_the_time_that_was_set() -> None:
    assert settling_s(3.0, [None]) == settling_s(3.0, []) == 3.0
