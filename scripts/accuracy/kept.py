"""What a run found, part by part, and what an earlier one left of the others.

kept = Kept.read(folder).overlaid(found)       # parts of `found` replace those of the same name
kept.write(held, folder)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scripts.accuracy.cards import IN_STEP_CARD
from scripts.accuracy.cells import Cell
from scripts.accuracy.coverage import Shares
from scripts.accuracy.moving import Moved
from scripts.accuracy.overhead import Overhead
from scripts.accuracy.targets import Target

FILE = "accuracy.json"


@dataclass
class Kept:
    """Errors on moving power by title, cells of the contest, coverage, overhead; `runs`: each part's run."""

    moving: dict[str, list[Moved]] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    coverage: Shares | None = None
    overhead: Overhead | None = None
    runs: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Kept:
        """What the folder has; nothing where it has no such file."""
        path = folder / FILE
        if not path.is_file():
            return cls()
        stored = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            moving={
                title: [Moved(**each) for each in those] for title, those in stored.get("moving", {}).items()
            },
            cells=[Cell(**cell) for cell in stored["cells"]],
            coverage=Shares(**stored["coverage"]) if stored["coverage"] else None,
            overhead=Overhead(**stored["overhead"]) if stored["overhead"] else None,
            runs=stored["runs"],
        )

    def overlaid(self, newer: Kept) -> Kept:
        """Both, where both have something the newer one's; cells by kind of card, length and meter."""
        cells = {_of(cell): cell for cell in [*self.cells, *newer.cells]}
        return Kept(
            moving=self.moving | newer.moving,
            cells=list(cells.values()),
            coverage=newer.coverage or self.coverage,
            overhead=newer.overhead or self.overhead,
            runs=self.runs | newer.runs,
        )

    def write(self, held: Sequence[Target], folder: Path) -> Path:
        """The figures, a cell a line."""
        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "runs": self.runs,
            "targets": [asdict(target) for target in held],
            "moving": {title: [asdict(each) for each in those] for title, those in self.moving.items()},
            "coverage": None if self.coverage is None else asdict(self.coverage),
            "overhead": None if self.overhead is None else asdict(self.overhead),
        }
        lines = [f" {json.dumps(name)}: {json.dumps(value)}," for name, value in head.items()]
        body = ",\n".join(f"  {json.dumps(asdict(cell))}" for cell in self.cells)
        path = folder / FILE
        path.write_text("{\n" + "\n".join(lines) + f'\n "cells": [\n{body}\n ]\n}}\n', encoding="utf-8")
        return path


def _of(cell: Cell) -> tuple[str, float, float, float, str]:
    """What a cell is of; windows in step with the sensor end at any moment, so their length is none."""
    seconds = 0.0 if cell.waveform == IN_STEP_CARD.waveform else cell.seconds
    return cell.waveform, cell.tick_s, cell.share, seconds, cell.meter
