"""Options of `calibrate` for an external meter's joules of a card's reference load.

reference = said(joules, error, efficiency)           # None where no joules were given
found = referred(results, gpus, reference)
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.notes import Notes
from bench.core.calibration import Calibration
from bench.errors import UsageError
from bench.store import calibration

if TYPE_CHECKING:
    from bench.measurement.calibration_plan import CalibratedCard
    from bench.meters.gpu import Gpu

ERROR = 0.02


@dataclass(frozen=True)
class ReferenceReading:
    """Joules of each stretch, or their sum; how far they may be off; where they were read at the wall."""

    joules: tuple[float, ...]
    error: float
    supply_efficiency: float | None


def parse_joules(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """`4210,11020,18350` as numbers."""
    return None if value is None else tuple(_one(part.strip()) for part in value.split(","))


def _one(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < 1e12:
        raise click.BadParameter(f"{text!r} is not a number of joules above 0. Example: 4210,11020,18350.")
    return number


def said(
    joules: tuple[float, ...] | None, error: float | None, efficiency: float | None
) -> ReferenceReading | None:
    """The external meter's joules, or `None`. Raises UsageError for options of joules that were not given."""
    if joules is not None:
        return ReferenceReading(joules, ERROR if error is None else error, efficiency)
    for name, given in (("--reference-error", error), ("--supply-efficiency", efficiency)):
        if given is not None:
            raise UsageError(
                f"{name} needs the joules that your meter counted.",
                "Give it with --reference-joules.",
            )
    return None


def refuse_load(given: Mapping[str, float | None]) -> None:
    """Running a load, and telling what was counted of the last one, are two commands. Raises UsageError."""
    for name, seconds in given.items():
        if seconds is not None:
            raise UsageError(
                f"{name} runs a load; --reference-joules belongs to a load that has been run.",
                "Run with --reference-seconds first, then give your meter's joules.",
            )


def command(results: Path, gpu_index: int, more: str) -> str:
    """`calibrate` for this card and folder, ready to be typed."""
    elsewhere = f" --results {shlex.quote(str(results))}" if results != Path("results") else ""
    return f"python -m bench calibrate --gpus {gpu_index}{elsewhere} {more}"


def referred(results: Path, gpus: str | None, reference: ReferenceReading) -> CalibratedCard:
    """A calibration completed by what an outside meter counted, saved.

    A reference that leaves the gain less certain than that of any card without one changes nothing.
    """
    from bench.measurement.calibration_plan import CalibratedCard, chosen_cards, require_one
    from bench.measurement.instruments import Instruments

    with Instruments(results, Notes().note) as instruments:
        cards = chosen_cards(instruments.drivers, gpus)
        require_one(cards)
        folder = instruments.open_folder().path
        found = _completed(results, folder, cards[0], reference)
        return CalibratedCard(cards[0].index, found, calibration.path_of(folder, found.uuid))


def _completed(results: Path, folder: Path, gpu: Gpu, reference: ReferenceReading) -> Calibration:
    from bench.calibrate.reference import sensor_line
    from bench.machine.provenance import now_utc
    from bench.stats.budget.gains import GAIN_U

    before = calibration.load(folder, gpu.uuid)
    if before is None or not before.stretches:
        raise UsageError(
            f"No stretches are known of {gpu.name} ({gpu.uuid}).",
            f"Let your meter count: {command(results, gpu.index, '--reference-seconds 60')}",
        )
    line = sensor_line(
        before.stretches, reference.joules, reference.error, now_utc(), reference.supply_efficiency
    )
    earlier = before.line
    if line.relative_gain_u >= max(GAIN_U, earlier.relative_gain_u if earlier else 0.0):
        kept = "the line drawn before is kept" if earlier else "no line is drawn"
        click.echo(
            f"gpu {gpu.index}: this reference leaves the gain uncertain by {line.relative_gain_u:.2%}, where "
            f"it is {GAIN_U:.2%} without any; so {kept}. A meter with a smaller error would help.",
            err=True,
        )
        return before
    found = before.model_copy(update={"line": line})
    calibration.save(folder, found)
    return found
