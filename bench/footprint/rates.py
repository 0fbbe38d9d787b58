"""Joules per token, page or image, from a record or a published figure, and factors typed on a command line.

for rate in of_record(row_of(record, "llama.json"), "llama.json"): ...   # J/token and J/page
of_published("mlenergy3.chat.H100.Qwen__Qwen3-8B")           # J/token
assumed("--idle-share", "0.1..0.3", "1", default="idle.gemini")
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from bench.core.near_names import nearest
from bench.core.quantities import Joules, Range, UnitError
from bench.errors import UsageError
from bench.footprint.bundled_rows import Factor, Published
from bench.footprint.chain import MACHINE_SCOPES
from bench.footprint.measured import MeasuredRow
from bench.footprint.reference import factors
from bench.footprint.scenarios.inputs import figure
from bench.footprint.scenarios.units import SAME_ANSWER
from bench.stats import token_figures

MADE = ("token", "page", "image")
AT_WORK = ("gpu", *MACHINE_SCOPES, "facility")


@dataclass(frozen=True)
class EnergyRate:
    """Joules of one token, page or image."""

    name: str
    made: str
    joules: Joules
    scope: str
    kind: str
    """`measured`, `estimated`, `mixed` or `published`."""
    range_is: str
    """Meaning of `low` and `high`."""
    source: str
    weights: str | None = None
    card_w: float | None = None
    """Mean power of one card at work, where it is known."""


def of_record(row: MeasuredRow, place: str) -> list[EnergyRate]:
    """Joules of a record at a row's scope: per page or image, and per token where they were counted."""
    record, figures = row.record, row.record.figures
    uncorrected = figures.energy_per_unit_j[row.scope].gross
    assert uncorrected is not None  # no row is made without it
    # a calibrated card's row is corrected: what is taken from the figures is corrected alike
    corrected = row.joules.range / uncorrected.value if uncorrected.value else Range.of(1.0)
    power = figures.power_w.get(row.scope) if row.scope == "gpu" else None
    card_w = None
    if power is not None and power.gross is not None and power.domains:
        card_w = power.gross.value * corrected.value / len(power.domains)
    found = {row.unit: row.joules}
    token = token_figures.per_output_token(record).get(row.scope)
    if token is not None and token.gross is not None:
        # tokens are counted, so the relative error is that of the joules
        found["token"] = Joules(corrected * token.gross.value)
    return [
        EnergyRate(record.label, made, joules, row.scope, row.kind, row.interval, place, row.weights, card_w)
        for made, joules in found.items()
    ]


def of_published(name: str) -> EnergyRate:
    """Value of a published figure, by its id. Raises UsageError."""
    row = figure(name)
    made = SAME_ANSWER.get(row.unit, row.unit) if isinstance(row, Published) else None
    joules = row.joules if isinstance(row, Published) else None
    if not isinstance(row, Published) or joules is None or made not in MADE:
        of = f"{row.value_unit} per {row.unit}" if isinstance(row, Published) else row.unit
        raise UnitError(
            f"{name} is in {of}: energy of one {', '.join(MADE)} belongs here.",
            "`python -m bench footprint published --modality text` lists them.",
        )
    if row.scope not in AT_WORK:
        raise UsageError(f"{name} is of scope `{row.scope}`: one of {', '.join(AT_WORK)} belongs here.")
    return EnergyRate(
        row.system, made, joules, row.scope, "published", row.note or "as published", row.source
    )


def assumed(option: str, text: str | None, unit: str, default: str) -> Factor:
    """A number, `LOW..HIGH` (its middle is the value) or the id of a bundled factor. Raises UsageError."""
    if text is None:
        return factors()[default]
    low, span, high = text.partition("..")
    try:
        ends = [float(end) for end in ((low, high) if span else (low,))]
    except ValueError:
        return _bundled(option, text, unit, default)
    value = sum(ends) / len(ends)
    try:
        return Factor(
            id=option,
            value=value,
            low=ends[0] if span else None,
            high=ends[-1] if span else None,
            unit=unit,
            scope="stated",
            source="stated by you",
            evidence="stated",
        )
    except ValidationError as error:
        raise UsageError(f"{option} {text}: expected a number, or LOW..HIGH with LOW below HIGH.") from error


def _bundled(option: str, name: str, unit: str, default: str) -> Factor:
    kind = default.partition(".")[0]
    known = [
        key for key, factor in factors().items() if factor.unit == unit and key.partition(".")[0] == kind
    ]
    if name not in known:
        hint = nearest(name, known) if known else None
        raise UsageError(
            f"{option}: `{name}` is not a number in {unit}, LOW..HIGH, or a bundled factor.", hint
        )
    return factors()[name]
