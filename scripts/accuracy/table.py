"""The contest as Markdown tables, which are readable as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from scripts.accuracy.cards import SHARES, TICKS_S
from scripts.accuracy.cells import ByMeter, Cell, Results, advantage
from scripts.accuracy.targets import HEADLINE


def lines(results: Results) -> Iterator[str]:
    """Page-like work in full, all waveforms together, and work in step with the sensor."""
    yield "Page-like work, a tick of 100 ms, a sensor that sees all: mean ± sd (RMS) of the error in %\n"
    yield from _head(results, "window")
    for seconds in results.lengths_s:
        yield _row(f"{seconds:g} s", results.of(HEADLINE, seconds), _full)
    yield "\nRMS error, all four waveforms together\n"
    yield from _head(results, "sensor, tick, window")
    for share, tick_s, seconds in product(SHARES, TICKS_S, results.lengths_s):
        name = f"{share:.0%}, {tick_s * 1e3:g} ms, {seconds:g} s"
        yield _row(name, results.pooled(share, tick_s, seconds), _rms)
    if in_step := results.in_step:
        yield "\nSensor of 25 %, work in step with it; the peers' without rests: mean ± sd (RMS) in %\n"
        yield from _head(results, "window")
        seconds = next(iter(in_step.values())).seconds
        yield _row(f"{seconds:.0f} s", in_step, _full)


def _head(results: Results, title: str) -> Iterator[str]:
    yield "| " + " | ".join([title, *results.meters, "best peer : ours"]) + " |"
    yield "|" + "---|" * (len(results.meters) + 2)


def _row(name: str, cells: ByMeter, shown: Callable[[Cell], str]) -> str:
    return "| " + " | ".join([name, *map(shown, cells.values()), f"{advantage(cells):.1f}"]) + " |"


def _full(cell: Cell) -> str:
    return f"{100 * cell.mean:+.3f} ± {100 * cell.sd:.3f} ({100 * cell.rms:.3f})" + _without(cell)


def _rms(cell: Cell) -> str:
    return f"{cell.rms:.2%}" + _without(cell)


def _without(cell: Cell) -> str:
    return f", {cell.absent} without a figure" if cell.absent else ""
