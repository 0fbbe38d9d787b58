"""Models of a catalogue, and which of them fit this machine.

found = listing(catalogue, gpus=None, device="auto")
found.models[0].why_not         # None where it fits
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.catalog.case_pieces import on_hub
from bench.catalog.cases import Overrides, plan
from bench.catalog.models import Catalogue, Model
from bench.errors import UsageError
from bench.machine.placement import Placement, place
from bench.measurement.fitting import available_bytes, why_not
from bench.meters.gpus import GpuDrivers


@dataclass(frozen=True)
class ListedModel:
    """A model, and the reason why it cannot run here as the catalogue has it."""

    name: str
    model: Model
    why_not: str | None
    on_hub: bool
    """Whether the hub has its weights, or those of all its parts."""


@dataclass(frozen=True)
class ModelListing:
    """All models of a catalogue on this machine."""

    device: Literal["cuda", "cpu"]
    memory_bytes: int
    """Of the cards together, or of the host."""
    visible: tuple[str, ...]
    """Names of the cards that the work may use."""
    named: tuple[str, ...]
    """Names of the cards that the user chose."""
    no_cards: str | None
    """The vendors whose cards are looked for, and why there are none; `None` where there are some."""
    models: tuple[ListedModel, ...]


def listing(catalogue: Catalogue, gpus: str | None, device: Literal["auto", "cuda", "cpu"]) -> ModelListing:
    """Set every model beside this machine. Raises UsageError or PrerequisiteError as `place` does."""
    with GpuDrivers() as drivers:
        placement = place(drivers, gpus, device)
        return ModelListing(
            placement.device,
            available_bytes(placement),
            tuple(gpu.name for gpu in placement.visible),
            tuple(gpu.name for gpu in placement.named),
            f"no {drivers.vendors} GPU: {drivers.absent}" if drivers.absent else None,
            tuple(
                ListedModel(
                    name, model, why_not_by_default(catalogue, name, placement), on_hub(catalogue, model)
                )
                for name, model in catalogue.models.items()
            ),
        )


def why_not_by_default(catalogue: Catalogue, name: str, placement: Placement) -> str | None:
    """Reason why a model cannot run here as the catalogue has it, or `None`.

    `list` shows it, and a refusal of the same model refers to it.
    """
    try:
        (planned,) = plan(catalogue, [name], Overrides())
        return why_not(planned.case, placement)
    except UsageError as error:  # an option that only the command line gives, or a producer that is not here
        return str(error)
