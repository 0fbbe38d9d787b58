"""Options of `calibrate` for an external meter's joules of a card's reference load."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.measurement.reference_plan import ReferenceReading

ERROR = 0.02


def parse_joules(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """`4210,11020,18350` as numbers."""
    return None if value is None else tuple(_number(part.strip()) for part in value.split(","))


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < 1e12:
        raise click.BadParameter(f"{text!r} is not a number of joules above 0. Example: 4210,11020,18350.")
    return number


def reading_of(
    joules: tuple[float, ...] | None, error: float | None, efficiency: float | None
) -> ReferenceReading | None:
    """The external meter's joules, or `None`. Raises UsageError for options of joules that were not given."""
    from bench.measurement.reference_plan import ReferenceReading

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
    """Refuse to run a load in the command that has the joules of the last one. Raises UsageError."""
    for name, seconds in given.items():
        if seconds is not None:
            raise UsageError(
                f"{name} runs a load; --reference-joules belongs to a load that has been run.",
                "Run with --reference-seconds first, then give your meter's joules.",
            )
