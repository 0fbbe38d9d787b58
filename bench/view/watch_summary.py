"""Summary of a watched command: joules by domain and scope, mean over its runs.

terminal.text(sections(WatchedCommand(...), grid), sys.stderr)
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from bench.core.domain import by_scope
from bench.core.energy_result import EnergyResult
from bench.measurement.live import label
from bench.stats.constant_power import follows_time
from bench.stats.figures import summed
from bench.view.content import Cell, Table, columns, table
from bench.view.live import grid_note, own_cost, sums
from bench.view.numbers import digits, percent

if TYPE_CHECKING:
    from bench.footprint.bundled_rows import Factor
    from bench.meters.gpu import Gpu


@dataclass(frozen=True)
class WatchedCommand:
    """A command that has ended, and what was metered of its runs."""

    command: Sequence[str]
    exit_status: int
    result: EnergyResult
    gpus: Sequence[Gpu]
    unread: Mapping[str, str]
    """Domains that could not be read from the start, each with the reason."""
    strangers: Collection[int]
    """Processes on its cards that are not known to be its own."""
    own_share: float
    """Share of a core that watching took."""


def sections(run: WatchedCommand, grid: Factor) -> Iterator[Table | str]:
    """Joules by domain and scope, mean over the runs, and what has to be known of them."""
    runs = run.result.blocks
    seconds = fmean(block.duration_s for block in runs)
    many = f"{len(runs)} runs of {digits(seconds)} s each" if len(runs) > 1 else f"{digits(seconds)} s"
    yield f"{shlex.join(run.command)}: ended with status {run.exit_status}, {many}"
    yield _table(run, grid)
    yield from _notes(run)
    yield f"{grid_note(grid)} {own_cost(run.own_share)}"


def _table(run: WatchedCommand, grid: Factor) -> Table:
    result = run.result
    net = ["#J net"] if result.idle else []
    heads = columns("", "#J", "#95 %", *net, "#mean W", "#Wh", "#g CO2e", "kind")
    blocks = result.blocks
    cards = {gpu.domain: gpu for gpu in run.gpus}
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


def _notes(run: WatchedCommand) -> Iterator[str]:
    result = run.result
    for name, reason in _missing(run).items():
        yield f"{name}: {reason}"
    for reason in dict.fromkeys(reason for block in result.blocks for reason in block.reasons):
        yield f"not to be believed: {reason}"
    if run.strangers:
        pids = ", ".join(map(str, sorted(run.strangers)))
        yield f"Not known to be the command's, and on its cards: {pids}. The joules include theirs."
    if time_only := follows_time(result):
        yield time_only
    if result.valid and result.absolute is not None and result.absolute.relative_half_width is not None:
        yield (
            f"absolute, other machines: ±{result.absolute.relative_half_width * 100:.0f} %, "
            f"{_unknown(run)} included."
        )
    if len(result.blocks) == 1:
        yield "One run has no interval: --runs 5 gives one."


def _unknown(run: WatchedCommand) -> str:
    """What an absolute figure is unsure of beside chance."""
    if run.gpus:
        return "the card's unknown gain"
    return "the gain of the meters" if run.result.kind == "measured" else "the error of the model of power"


def _missing(run: WatchedCommand) -> dict[str, str]:
    """Reason for a domain without joules: unreadable from the start, or in this window."""
    lacking = {
        name: energy.reason
        for block in run.result.blocks
        for name, energy in block.energy.items()
        if energy.gross_j is None and energy.reason
    }
    return {**run.unread, **lacking}
