"""Finding out how a card's sensor sees, on the card itself, with a load that is known edge by edge.

    known = calibrations(machine_folder, gpus)           # what a run uses, by UUID
    found = procedure.calibrate(nvml, gpu, 60.0, note)   # two minutes of one card's time

`pattern` is the load, `response` reads tick, windows and shares off it, `decay` what is left after it, and
`reference` gain and offset where somebody's own meter watched. All of these are arithmetic on stamped
readings; `procedure` drives card and worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.meters.nvml import Gpu
from bench.records import calibration
from bench.records.calibration import Calibration


def calibrations(machine_folder: Path, gpus: Iterable[Gpu]) -> dict[str, Calibration]:
    """What has been found of these cards, by UUID. Raises RecordError for a file that cannot be read."""
    found = {gpu.uuid: calibration.load(machine_folder, gpu.uuid) for gpu in gpus}
    return {uuid: known for uuid, known in found.items() if known is not None}


def as_facts(known: dict[str, Calibration]) -> dict[str, dict[str, object]]:
    """Calibrations as they stand in a record, under `machine.calibration`."""
    return {uuid: found.model_dump(mode="json", by_alias=True) for uuid, found in known.items()}
