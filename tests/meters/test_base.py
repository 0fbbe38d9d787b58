"""The difference of two readings: a number only where there is one."""

from __future__ import annotations

from bench.core.energy import DomainEnergy
from bench.meters.base import Reading, difference, unreadable

SECOND = 1_000_000_000


def test_difference_is_the_energy_between_two_readings() -> None:
    found = difference(Reading(0, 1000.5), Reading(SECOND, 1350.75), "counter")
    assert found == DomainEnergy(gross_j=350.25, source="counter", kind="measured")


def test_counter_that_went_backwards_gives_no_number() -> None:
    found = difference(Reading(0, 1000.0), Reading(SECOND, 3.0), "counter")
    assert found.gross_j is None
    assert "backwards" in str(found.reason)


def test_counter_that_stood_still_gives_no_zero_and_says_for_how_long() -> None:
    found = difference(Reading(0, 1000.0), Reading(2_500_000_000, 1000.0), "counter")
    assert found.gross_j is None
    assert found.reason == "the counter did not move in 2.5 s"


def test_missing_reading_gives_its_own_reason() -> None:
    good = Reading(0, 1.0)
    assert difference(Reading(0, None, "lost before"), good, "counter").reason == "lost before"
    assert difference(good, Reading(1, None, "lost after"), "counter").reason == "lost after"
    both = difference(Reading(0, None, "lost before"), Reading(1, None, "lost after"), "counter")
    assert both == unreadable("counter", "lost after")


def test_missing_reading_without_a_reason_still_gets_words() -> None:
    assert difference(Reading(0, None), Reading(1, None), "counter").reason == "no reading"
