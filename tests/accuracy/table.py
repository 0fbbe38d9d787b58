"""From outcomes to errors by cell, to tables, and to targets that are met or not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TypeVar

from tests.accuracy.cards import IN_STEP_CARD, Card
from tests.accuracy.contest import Outcome
from tests.accuracy.meters import OURS

Row = TypeVar("Row")

HEADLINE = Card("page", 0.1, 1.0)
LIKE_A_PEER, LIKE_NOTHING = 1.05, 2e-4
"""What makes no difference between two RMS errors: a twentieth, and 0.02 points, which are the milliseconds
of idle between the work and whichever contestant was opened first."""


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


@dataclass(frozen=True)
class Target:
    """What was wanted, what was found, and whether that is enough."""

    wanted: str
    found: str
    met: bool


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
        sd=pstdev(known),
        rms=math.sqrt(fmean(error**2 for error in known)),
        worst=max(known, key=abs),
        absent=errors.count(None),
    )


class Results:
    """Cells, looked up and laid out."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self._cells = [cell for cell in cells if cell.waveform != IN_STEP_CARD.waveform]
        self._in_step = [cell for cell in cells if cell.waveform == IN_STEP_CARD.waveform]
        self.meters = list(dict.fromkeys(cell.meter for cell in cells))
        self.lengths_s = sorted({cell.seconds for cell in self._cells})

    def lines(self) -> Iterator[str]:
        """Everything as Markdown, which is readable as it is."""
        yield "Page-like work, a tick of 100 ms, a sensor that sees all: mean ± sd (RMS) of the error in %\n"
        yield from self._table(
            "window", self.lengths_s, lambda length_s: f"{length_s:g} s", self._headline, _full
        )
        yield "\nRMS error in %, all four waveforms together\n"
        rows = sorted({(cell.share, cell.tick_s, cell.seconds) for cell in self._cells}, reverse=True)
        rows.sort(key=lambda row: (-row[0], row[1], row[2]))
        yield from self._table(
            "sensor, tick, window",
            rows,
            lambda row: f"{row[0]:.0%}, {row[1] * 1e3:g} ms, {row[2]:g} s",
            self._pooled,
            lambda cell: f"{cell.rms:.2%}" + (f" ({cell.absent} without)" if cell.absent else ""),
        )
        if self._in_step:
            yield "\nSensor of 25 %, work in step with it; the peers' without pauses: mean ± sd (RMS) in %\n"
            yield from self._table(
                "window",
                [self._in_step[0].seconds],
                lambda length_s: f"{length_s:.0f} s",
                self._stepped,
                _full,
            )

    def _table(
        self,
        title: str,
        rows: Sequence[Row],
        name: Callable[[Row], str],
        cell_of: Callable[[Row, str], Cell],
        shown: Callable[[Cell], str],
    ) -> Iterator[str]:
        yield " | ".join(["", title, *self.meters, "best peer : ours", ""]).strip()
        yield "|" + "---|" * (len(self.meters) + 2)
        for row in rows:
            cells = {meter: cell_of(row, meter) for meter in self.meters}
            yield " | ".join(["", name(row), *map(shown, cells.values()), f"{_ratio(cells):.1f}", ""]).strip()

    def _headline(self, seconds: float, meter: str) -> Cell:
        return self.cell(HEADLINE, seconds, meter)

    def _stepped(self, seconds: float, meter: str) -> Cell:
        (found,) = [cell for cell in self._in_step if cell.meter == meter]
        return found

    def cell(self, card: Card, seconds: float, meter: str) -> Cell:
        """The cell of one kind of card."""
        wanted = (card.waveform, card.tick_s, card.share, seconds, meter)
        (found,) = [
            cell
            for cell in self._cells
            if (cell.waveform, cell.tick_s, cell.share, cell.seconds, cell.meter) == wanted
        ]
        return found

    def _pooled(self, row: tuple[float, float, float], meter: str) -> Cell:
        """The waveforms of one counter and sensor as if they were one."""
        each = [
            cell
            for cell in self._cells
            if (cell.share, cell.tick_s, cell.seconds, cell.meter) == (*row, meter)
        ]
        known = [cell for cell in each if cell.n]
        n = sum(cell.n for cell in known)
        mean = sum(cell.n * cell.mean for cell in known) / n if n else math.nan
        square = sum(cell.n * cell.rms**2 for cell in known) / n if n else math.nan
        return Cell(
            waveform="all",
            tick_s=row[1],
            share=row[0],
            seconds=row[2],
            meter=meter,
            n=n,
            mean=mean,
            sd=math.sqrt(max(0.0, square - mean**2)),
            rms=math.sqrt(square),
            worst=max((cell.worst for cell in known), key=abs, default=math.nan),
            absent=sum(cell.absent for cell in each),
        )

    def targets(self) -> list[Target]:
        """What this project wants to reach, held against what was found."""
        found = [*self._headline_targets(), self._never_worse(1.0), self._never_worse(0.25)]
        if self._in_step:
            found.append(self._in_step_target())
        return found

    def _headline_targets(self) -> Iterator[Target]:
        where = "page-like, 100 ms, 100 %"
        for seconds, part in ((1.0, 8), (5.0, 5)):
            cells = {meter: self._headline(seconds, meter) for meter in self.meters}
            ratio = _ratio(cells)
            yield Target(
                f"{where}, {seconds:g} s: RMS at most 1/{part} of the best peer's",
                f"1/{ratio:.1f}",
                ratio >= part,
            )
        ours = self._headline(1.0, OURS)
        yield Target(f"{where}, 1 s: RMS below 0.5 %", f"{ours.rms:.2%}", ours.rms < 0.005)

    def _never_worse(self, share: float) -> Target:
        """At the longest window, on each kind of card."""
        longest_s = self.lengths_s[-1]
        cards = {Card(cell.waveform, cell.tick_s, cell.share) for cell in self._cells if cell.share == share}
        worse: list[str] = []
        for card in sorted(cards, key=str):
            cells = {meter: self.cell(card, longest_s, meter) for meter in self.meters}
            ours_rms, peer_rms = cells[OURS].rms, _best_peer(cells).rms
            if ours_rms > peer_rms * LIKE_A_PEER + LIKE_NOTHING:
                worse.append(f"{card.waveform}, {card.tick_s * 1e3:g} ms: {ours_rms:.2%}, {peer_rms:.2%}")
        return Target(
            f"{share:.0%} sensor, {longest_s:g} s: on no kind of card worse than the best peer",
            f"worse on {len(worse)} of {len(cards)}" + (f" ({'; '.join(worse)})" if worse else ""),
            not worse,
        )

    def _in_step_target(self) -> Target:
        cells = {cell.meter: cell for cell in self._in_step}
        peer = _best_peer(cells).rms
        return Target(
            f"25 % sensor, work in step with it, {cells[OURS].seconds:.0f} s: RMS below 2 %",
            f"{cells[OURS].rms:.2%}; best peer {peer:.1%}",
            cells[OURS].rms < 0.02,
        )


def _full(cell: Cell) -> str:
    return f"{100 * cell.mean:+.3f} ± {100 * cell.sd:.3f} ({100 * cell.rms:.3f})"


def _best_peer(cells: dict[str, Cell]) -> Cell:
    return min((cell for meter, cell in cells.items() if meter != OURS), key=lambda cell: cell.rms)


def _ratio(cells: dict[str, Cell]) -> float:
    """The smallest RMS among the peers over ours."""
    return _best_peer(cells).rms / cells[OURS].rms


def target_lines(targets: Sequence[Target]) -> Iterator[str]:
    """One target a line, met or missed."""
    for target in targets:
        yield f"{'met   ' if target.met else 'MISSED'}  {target.wanted}: {target.found}"
