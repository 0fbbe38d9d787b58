"""Measured joules beside what others have published of the same model on a like card.

    for check in checks(records):
        print(check.case, check.ratio, check.within)

A published row is of a card of its own (H100), with an engine of its own; a ratio outside 0.5 to 2 means that
one of the two is not what it seems. Where steps or size differ, the reason replaces the ratio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.core.record import Record
from bench.footprint.bundled_rows import Published
from bench.footprint.reference import published

LOWEST, HIGHEST = 0.5, 2.0

IMAGES = (
    "Both: diffusers, bf16, batch 1, the same steps and size. Theirs: ML.ENERGY's steady state on an H100, "
    "which may differ from this card in memory bandwidth and power limit."
)
PAGES = (
    "Theirs: vLLM with continuous batching on an H100, the median over batch sizes up to hundreds. Ours: "
    "transformers' own loop with a fixed batch, so each reading of the weights makes fewer tokens, and "
    "launches cost more."
)


class Pairing(BaseModel):
    """Which case a published row is held against; `per` is what both are counted by."""

    model_config = ConfigDict(frozen=True)

    model: str
    batch: int
    row: str
    per: Literal["image", "output_token"]
    why: str


PAIRINGS = (
    Pairing(
        model="sd3.5-medium",
        batch=1,
        row="mlenergy3.H100.stabilityai__stable-diffusion-3.5-medium",
        per="image",
        why=IMAGES,
    ),
    Pairing(
        model="flux.1-dev",
        batch=1,
        row="mlenergy3.H100.black-forest-labs__FLUX.1-dev",
        per="image",
        why=IMAGES,
    ),
    Pairing(
        model="pixart-sigma",
        batch=1,
        row="mlenergy3.H100.PixArt-alpha__PixArt-Sigma-XL-2-1024-MS",
        per="image",
        why=IMAGES,
    ),
    Pairing(
        model="llama-3.1-8b-instruct",
        batch=32,
        row="mlenergy3.chat.H100.meta-llama__Llama-3.1-8B-Instruct",
        per="output_token",
        why=PAGES,
    ),
    Pairing(
        model="qwen3-8b",
        batch=32,
        row="mlenergy3.chat.H100.Qwen__Qwen3-8B",
        per="output_token",
        why=PAGES,
    ),
)


class Check(BaseModel):
    """One case against one published row."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    case: str
    row: str
    per: str
    measured_j: float | None = None
    published_j: float | None = None
    ratio: float | None = None
    within: bool | None = None
    """Whether the ratio is between 0.5 and 2."""
    why: str
    """Difference, or the reason for an absent ratio."""


def checks(records: Iterable[Record]) -> Iterator[Check]:
    """A check for each record that has a published counterpart."""
    rows = {row.id: row for row in published()}
    for record in records:
        for pairing in PAIRINGS:
            if (record.case.model, record.case.batch) == (pairing.model, pairing.batch):
                yield _check(record, pairing, rows[pairing.row])


def _check(record: Record, pairing: Pairing, row: Published) -> Check:
    base = Check(case=record.label, row=row.id, per=pairing.per, why=pairing.why)
    measured_j, published_j = _measured_j(record, pairing.per), row.joules
    if reason := _unlike(record, row):
        return base.model_copy(update={"why": reason})
    if measured_j is None or published_j is None:
        return base.model_copy(update={"why": "one of the two has no joules at scope gpu"})
    ratio = measured_j / published_j.value
    figures = {"measured_j": measured_j, "published_j": published_j.value, "ratio": ratio}
    return base.model_copy(update={**figures, "within": LOWEST <= ratio <= HIGHEST})


def _measured_j(record: Record, per: str) -> float | None:
    figures = record.figures.energy_per_unit_j if per == "image" else record.figures.energy_per_token_j
    figure = figures.get("gpu")
    return figure.gross.value if figure and figure.gross else None


def _unlike(record: Record, row: Published) -> str | None:
    """What differs in the work itself; `None` where nothing does."""
    options = record.case.options
    for key, theirs in (("steps", "steps"), ("width", "width_px"), ("height", "height_px")):
        asked = row.conditions.get(theirs)
        if asked is not None and options.get(key) != asked:
            return f"no ratio: {key} {options.get(key)} here, {asked} there"
    return None
