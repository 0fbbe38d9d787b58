"""Parts of a run replace those of an earlier one, and leave the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scripts.accuracy.cards import IN_STEP_CARD
from scripts.accuracy.cells import Cell
from scripts.accuracy.coverage import Shares
from scripts.accuracy.kept import Kept
from scripts.accuracy.moving import Moved
from scripts.accuracy.overhead import Overhead
from scripts.accuracy.targets import Target

CELL = Cell("page", 0.1, 1.0, 1.0, "joulebench", 60, 0.0, 0.01, 0.01, 0.02, 0)
IN_STEP = replace(CELL, waveform=IN_STEP_CARD.waveform, seconds=58.9)
WHOLE = Kept(
    moving={"waves": [Moved("calm", 1.0, {"joulebench": 0.001, "plain": 0.04}, 0)]},
    cells=[CELL, replace(CELL, seconds=5.0), IN_STEP],
    coverage=Shares(10, 50, 0, 0.9, 0.9, 0.9, 0.9, 0.07),
    overhead=Overhead(6, 1.0, 0.9, 1.1, 0.01),
    runs={"1s": {"seconds": 100}, "moving": {"seconds": 200}},
)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = WHOLE.write([Target("small", "0.1 %", True)], tmp_path / "new")
    assert path.name == "accuracy.json"
    assert Kept.read(tmp_path / "new") == WHOLE
    assert Kept.read(tmp_path) == Kept()


def test_a_part_replaces_its_own_figures_only() -> None:
    newer = Kept(
        cells=[replace(CELL, rms=0.5), replace(IN_STEP, seconds=59.1)], runs={"1s": {"seconds": 300}}
    )
    both = WHOLE.overlaid(newer)
    assert both.cells == [replace(CELL, rms=0.5), WHOLE.cells[1], replace(IN_STEP, seconds=59.1)]
    assert (both.moving, both.coverage, both.overhead) == (WHOLE.moving, WHOLE.coverage, WHOLE.overhead)
    assert both.runs == {"1s": {"seconds": 300}, "moving": {"seconds": 200}}
