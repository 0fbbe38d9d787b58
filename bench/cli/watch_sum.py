"""What is said on stderr when a watched command has ended."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.cli.tables import J_PER_WH, PIPE_WIDTH, cell
from bench.cli.watch_lines import grams
from bench.cli.watch_sinks import own_cost
from bench.cli.watch_view import grid_note
from bench.core.block import Block
from bench.core.domain import by_scope
from bench.measurement.api import Meter, Result
from bench.records.figures import summed
from bench.report.numbers import digits, percent, plain
from bench.runner.live import label

if TYPE_CHECKING:
    from bench.footprint.reference import Factor


def print_sum(
    meter: Meter, command: Sequence[str], status: int, strangers: set[int], own_share: float, grid: Factor
) -> None:
    """Joules by domain and scope, mean over the runs, and what has to be known of them."""
    result, terminal = meter.result(), sys.stderr.isatty()
    console = Console(file=sys.stderr, highlight=False, width=None if terminal else PIPE_WIDTH)
    runs, seconds = result.blocks, fmean(block.duration_s for block in result.blocks)
    many = f"{len(runs)} runs of {digits(seconds)} s each" if len(runs) > 1 else f"{digits(seconds)} s"
    console.print(cell(f"{shlex.join(command)}: ended with status {status}, {many}"))
    console.print(_table(meter, result, grid))
    for line in _notes(meter, result, strangers):
        console.print(cell(line))
    console.print(cell(f"{grid_note(grid)} {own_cost(own_share)}"))


def _table(meter: Meter, result: Result, grid: Factor) -> Table:
    idle = bool(result.idle)
    names = ["", "J", "95 %", *(["J net"] if idle else []), "mean W", "Wh", "g CO2e", "kind"]
    made = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        made.add_column(name, justify="left" if name in ("", "kind") else "right")
    blocks = result.blocks
    cards = {gpu.domain: gpu for gpu in meter.running.gpus} if meter.running else {}
    for domain, energy in blocks[0].energy.items():
        name = label(domain, energy.kind, cards.get(domain))
        made.add_row(*_cells(name, blocks, [domain], energy.kind, "", grid, idle=idle))
    for scope, domains in by_scope(list(blocks[0].energy)).items():
        kind = blocks[0].joules(scope).kind
        words = "measured + estimated" if kind == "mixed" else kind
        figure = result.figures.energy_per_unit_j.get(scope)
        spread = percent(figure.gross) if figure else ""
        made.add_row(*_cells(f"scope {scope}", blocks, domains, words, spread, grid, idle=idle))
    return made


def _cells(
    name: str,
    blocks: Sequence[Block],
    domains: Sequence[str],
    kind: str,
    spread: str,
    grid: Factor,
    *,
    idle: bool,
) -> Iterable[Text | str]:
    """One row: the mean over the runs of the domains' sum."""
    gross, net = summed(blocks, domains, "gross_j"), summed(blocks, domains, "net_j")
    energy_j = fmean(gross) if gross else None
    net_j = fmean(net) if net else None
    power_w = sum(gross) / sum(block.work_s for block in blocks) if gross else None
    yield cell(name)
    yield plain(energy_j, 4)
    yield spread
    if idle:
        yield plain(net_j, 4)
    yield plain(power_w)
    yield plain(None if energy_j is None else energy_j / J_PER_WH)
    yield plain(grams(energy_j, grid))
    yield cell(kind)


def _notes(meter: Meter, result: Result, strangers: set[int]) -> Iterable[str]:
    for name, reason in _missing(meter, result).items():
        yield f"{name}: {reason}"
    for reason in dict.fromkeys(reason for block in result.blocks for reason in block.reasons):
        yield f"not to be believed: {reason}"
    if strangers:
        pids = ", ".join(map(str, sorted(strangers)))
        yield f"Not known to be the command's, and on its cards: {pids}. The joules hold theirs too."
    if result.valid and result.absolute is not None and result.absolute.relative_half_width is not None:
        yield (
            f"absolute, other machines: ±{result.absolute.relative_half_width * 100:.0f} %, "
            "the card's unknown gain included."
        )
    if len(result.blocks) == 1:
        yield "One run has no interval: --repeat 5 gives one."


def _missing(meter: Meter, result: Result) -> dict[str, str]:
    """Why a domain has no joules: unreadable from the start, or in this window."""
    unread = meter.running.absent if meter.running else {}
    lacking = {
        name: energy.reason
        for block in result.blocks
        for name, energy in block.energy.items()
        if energy.gross_j is None and energy.reason
    }
    return unread | lacking
