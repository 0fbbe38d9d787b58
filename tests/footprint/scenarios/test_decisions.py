"""The first line of a scenario that hangs on one choice: each share is that of the scenario so changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.decisions import decided
from bench.footprint.scenarios.files import find
from bench.footprint.scenarios.simulation import SimulationReport
from tests.footprint.scenarios.helpers import COMPUTER, EDITING, draft
from tests.support.elsewhere import SCENARIO

DRAWS = 20_000
CRITICS = {
    "without its making": "computer=none",
    "with its making over all hours of its life": "computer.hours=hours.year",
    "with its making over paid hours": "computer.hours=hours.work",
}


def test_the_laptop_decides_the_critics() -> None:
    """Three quarters, a half, a quarter of the draws: the check of the facts found 72, 54 and 27 %."""
    found = decided(find("critics"), DRAWS, 0)
    assert found is not None
    assert (found.what, found.side, found.turns) == ("The laptop", "together", True)
    assert list(found.person_ahead.values()) == pytest.approx([0.72, 0.54, 0.27], abs=0.02)
    for name, change in CRITICS.items():
        alone = SimulationReport.of(build(find("critics").changed(change)), DRAWS, 0)
        assert found.person_ahead[name] == alone.person_ahead["together"]


@pytest.mark.parametrize("change", CRITICS.values())
def test_who_has_chosen_is_told_nothing_of_the_choice(change: str) -> None:
    assert decided(find("critics").changed(change), 1000, 0) is None


def test_another_input_leaves_the_choice_open() -> None:
    before, after = (
        decided(each, DRAWS, 0) for each in (find("critics"), find("critics").changed("model.prompts=1"))
    )
    assert before is not None
    assert after is not None
    assert all(after.person_ahead[name] < share for name, share in before.person_ahead.items())


def test_beside_twenty_years_of_electricity_no_laptop_decides() -> None:
    years = ("energy=electricity.upbringing.baquero", "grid=USA", "hours=83200")
    found = find("critics")
    for each in years:
        found = found.changed(f"upbringing.{each}")
    outcome = decided(found, 5000, 0)
    assert outcome is not None
    assert not outcome.turns
    assert max(outcome.person_ahead.values()) < 0.01


def test_a_scenario_that_names_no_choice_has_no_such_line(tmp_path: Path) -> None:
    assert decided(draft(tmp_path, SCENARIO + EDITING + COMPUTER), 1000, 0) is None
