"""From outcomes to errors by cell: one contestant, one kind of card, one length of window."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from scripts.accuracy.cards import GRID, IN_STEP_CARD, Card
from scripts.accuracy.contest import Outcome
from scripts.accuracy.meters import OURS


@dataclass(frozen=True)
class Cell:
    """One contestant's relative errors on one kind of card, over windows of one length.

    `absent` counts the windows that it gave no figure for; they are in none of the other numbers.
    """

    waveform: str
    tick_s: float
    share: float
    seconds: float
    meter: str
    n: int
    mean: float
    sd: float
    rms: float
    worst: float
    absent: int


ByMeter = dict[str, Cell]


def summarised(outcomes: Iterable[tuple[Card, Outcome]]) -> list[Cell]:
    """All outcomes by kind of card, length and contestant."""
    errors: dict[tuple[Card, float, str], list[float | None]] = {}
    for card, outcome in outcomes:
        errors.setdefault((card, round(outcome.seconds, 3), outcome.meter), []).append(outcome.error)
    return [_cell(card, seconds, meter, found) for (card, seconds, meter), found in errors.items()]


def _cell(card: Card, seconds: float, meter: str, errors: Sequence[float | None]) -> Cell:
    known = [error for error in errors if error is not None] or [math.nan]
    return Cell(
        waveform=card.waveform,
        tick_s=card.tick_s,
        share=card.share,
        seconds=seconds,
        meter=meter,
        n=len(errors) - errors.count(None),
        mean=fmean(known),
        sd=float(np.std(known)),
        rms=math.sqrt(fmean(error**2 for error in known)),
        worst=max(known, key=abs),
        absent=errors.count(None),
    )


class Results:
    """Cells, looked up by what they are of; each look-up gives all contestants."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = cells
        self.meters = list(dict.fromkeys(cell.meter for cell in cells))
        self._grid = [cell for cell in cells if cell.waveform != IN_STEP_CARD.waveform]
        self.lengths_s = sorted({cell.seconds for cell in self._grid})
        self.cards = sorted({Card(cell.waveform, cell.tick_s, cell.share) for cell in self._grid}, key=str)

    def of(self, card: Card, seconds: float) -> ByMeter:
        """One kind of card, windows of one length."""
        return {
            cell.meter: cell
            for cell in self._grid
            if (Card(cell.waveform, cell.tick_s, cell.share), cell.seconds) == (card, seconds)
        }

    @property
    def complete(self) -> bool:
        """Whether every kind of card has windows of every length."""
        return bool(self._grid) and all(
            self.of(card, seconds) for card in GRID for seconds in (0.3, 1.0, 5.0, 30.0)
        )

    @property
    def in_step(self) -> ByMeter:
        """Work in step with the sensor; empty where there was none."""
        return {cell.meter: cell for cell in self.cells if cell.waveform == IN_STEP_CARD.waveform}

    def pooled(self, share: float, tick_s: float, seconds: float) -> ByMeter:
        """All waveforms of one counter and sensor as if they were one."""
        cards = [card for card in self.cards if (card.share, card.tick_s) == (share, tick_s)]
        each = [self.of(card, seconds) for card in cards]
        return {meter: _pool([cells[meter] for cells in each]) for meter in self.meters}


def _pool(cells: Sequence[Cell]) -> Cell:
    known = [cell for cell in cells if cell.n]
    n = sum(cell.n for cell in known)
    mean = sum(cell.n * cell.mean for cell in known) / n if n else math.nan
    square = sum(cell.n * cell.rms**2 for cell in known) / n if n else math.nan
    return Cell(
        waveform="all",
        tick_s=cells[0].tick_s,
        share=cells[0].share,
        seconds=cells[0].seconds,
        meter=cells[0].meter,
        n=n,
        mean=mean,
        sd=math.sqrt(max(0.0, square - mean**2)),
        rms=math.sqrt(square),
        worst=max((cell.worst for cell in known), key=abs, default=math.nan),
        absent=sum(cell.absent for cell in cells),
    )


def best_peer_rms(cells: ByMeter) -> float:
    """The smallest RMS error among the peers."""
    return min(cell.rms for meter, cell in cells.items() if meter != OURS)


def advantage(cells: ByMeter) -> float:
    """How many times smaller ours is than that."""
    return best_peer_rms(cells) / cells[OURS].rms
