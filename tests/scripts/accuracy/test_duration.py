"""A typical case is measured in two minutes, by the whole procedure in virtual time."""

from __future__ import annotations

import statistics
from itertools import islice

from scripts.accuracy.duration import Row, cases


def test_a_typical_case_reaches_two_percent_within_two_minutes() -> None:
    chosen = list(islice(cases(Row(0.02, None), 3), 3))
    assert statistics.median(each.seconds for each in chosen) <= 120
    assert all(8.0 <= each.block_s <= 11.0 for each in chosen)
    (before,) = cases(Row(0.02, 30.0), 1)
    assert before.seconds > 1.7 * chosen[0].seconds
