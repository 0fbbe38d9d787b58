"""Summary on stderr when a watched command has ended."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import click

from bench.cli.watch_outputs import own_cost
from bench.core.domain import by_scope
from bench.core.energy_result import EnergyResult
from bench.measurement.api import Meter
from bench.measurement.live import label
from bench.stats.figures import summed
from bench.view import terminal
from bench.view.content import Cell, SectionPart, Table, columns, table
from bench.view.live import grid_note, sums
from bench.view.numbers import digits, percent

if TYPE_CHECKING:
    from bench.footprint.reference import Factor


def print_sum(
    meter: Meter, command: Sequence[str], status: int, strangers: set[int], own_share: float, grid: Factor
) -> None:
    """Joules by domain and scope, mean over the runs, and what has to be known of them."""
    result = meter.result()
    runs, seconds = result.blocks, fmean(block.duration_s for block in result.blocks)
    many = f"{len(runs)} runs of {digits(seconds)} s each" if len(runs) > 1 else f"{digits(seconds)} s"
    shown: tuple[SectionPart, ...] = (
        f"{shlex.join(command)}: ended with status {status}, {many}",
        _table(meter, result, grid),
        *_notes(meter, result, strangers),
        f"{grid_note(grid)} {own_cost(own_share)}",
    )
    click.echo(terminal.text(shown, sys.stderr), err=True, nl=False)


def _table(meter: Meter, result: EnergyResult, grid: Factor) -> Table:
    net = ["##J net"] if result.idle else []
    heads = columns("", "##J", "#95 %", *net, "#mean W", "#Wh", "#g CO2e", "kind")
    blocks = result.blocks
    cards = {gpu.domain: gpu for gpu in meter.running.gpus} if meter.running else {}
    rows = [
        _row(label(domain, energy.kind, cards.get(domain)), result, [domain], energy.kind, "", grid)
        for domain, energy in blocks[0].energy.items()
    ]
    for scope, domains in by_scope(list(blocks[0].energy)).items():
        kind = blocks[0].joules(scope).kind
        words = "measured + estimated" if kind == "mixed" else kind
        figure = result.figures.energy_per_unit_j.get(scope)
        spread = percent(figure.gross) if figure else ""
        rows.append(_row(f"scope {scope}", result, domains, words, spread, grid))
    return table(heads, rows)


def _row(
    name: str, result: EnergyResult, domains: Sequence[str], kind: str, spread: str, grid: Factor
) -> tuple[Cell, ...]:
    """The mean over the runs of the domains' sum."""
    blocks = result.blocks
    gross, net = summed(blocks, domains, "gross_j"), summed(blocks, domains, "net_j")
    power_w = sum(gross) / sum(block.work_s for block in blocks) if gross else None
    energy_j, watt_hours, carbon_g = sums(fmean(gross) if gross else None, grid)
    net_j = [fmean(net) if net else None] if result.idle else []
    return (name, energy_j, spread, *net_j, power_w, watt_hours, carbon_g, kind)


def _notes(meter: Meter, result: EnergyResult, strangers: set[int]) -> Iterable[str]:
    for name, reason in _missing(meter, result).items():
        yield f"{name}: {reason}"
    for reason in dict.fromkeys(reason for block in result.blocks for reason in block.reasons):
        yield f"not to be believed: {reason}"
    if strangers:
        pids = ", ".join(map(str, sorted(strangers)))
        yield f"Not known to be the command's, and on its cards: {pids}. The joules include theirs."
    if result.valid and result.absolute is not None and result.absolute.relative_half_width is not None:
        yield (
            f"absolute, other machines: ±{result.absolute.relative_half_width * 100:.0f} %, "
            "the card's unknown gain included."
        )
    if len(result.blocks) == 1:
        yield "One run has no interval: --repeat 5 gives one."


def _missing(meter: Meter, result: EnergyResult) -> dict[str, str]:
    """Reason for a domain without joules: unreadable from the start, or in this window."""
    unread = meter.running.absent if meter.running else {}
    lacking = {
        name: energy.reason
        for block in result.blocks
        for name, energy in block.energy.items()
        if energy.gross_j is None and energy.reason
    }
    return unread | lacking
