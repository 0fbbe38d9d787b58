"""Default suite of this machine, with the reason for it, and a note on cards that are hidden.

placement = place(drivers, None, "auto")
names = [default_suite(catalogue, drivers, placement, note)]
"""

from __future__ import annotations

from collections.abc import Callable

from bench.catalog.models import Catalogue
from bench.core.near_names import unknown
from bench.machine.placement import Placement, hidden_cards
from bench.meters.gpus import GpuDrivers


def note_hidden_cards(drivers: GpuDrivers, placement: Placement, note: Callable[[str], None]) -> None:
    """Say which cards a variable such as CUDA_VISIBLE_DEVICES keeps from a run that named none."""
    if not placement.named and (hidden := hidden_cards(drivers)):
        effect = "The work runs on the CPU, because " if placement.device == "cpu" else ""
        note(f"{effect}{hidden}.")


def default_suite(
    catalogue: Catalogue, drivers: GpuDrivers, placement: Placement, note: Callable[[str], None]
) -> str:
    """The suite that is measured where none is named, noted with the reason. Raises UsageError."""
    suite = "paper" if placement.device == "cuda" else "smoke"
    why = f"the work runs on {placement.visible[0].name}" if placement.visible else "the work runs on the CPU"
    if drivers.absent:
        why = f"this machine has no {drivers.vendors} GPU ({drivers.absent})"
    note(f"Suite `{suite}`, because {why}. `python -m bench list` shows the others.")
    if suite not in catalogue.suites:
        raise unknown("suite", suite, catalogue.suites)
    return suite
