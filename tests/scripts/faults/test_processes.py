"""Processes stopped, killed or interrupted, and a calendar that steps: no hang, no traceback, no zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.faults.processes import SHORT, Clock, play_together


def test_the_steppable_calendar_steps_and_leaves_other_clocks_alone(tmp_path: Path) -> None:
    Clock(tmp_path).assert_steps()


@pytest.mark.slow
def test_whatever_befalls_the_processes_a_run_ends_soon_and_says_why(standin_library: Path) -> None:
    """Side by side, since they mostly wait; `scripts/bench-torture faults` plays longer ones, with a card."""
    for ending in play_together(SHORT, standin_library):
        if isinstance(ending, Exception):
            raise ending
