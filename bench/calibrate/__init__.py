"""Calibration of a card's sensor, on the card itself, with a load whose edges are known.

    known = calibrations(machine_folder, gpus, note)     # what a run uses, by UUID
    with procedure.loaded(drivers, gpu, note) as bench:     # two minutes of one card's time
        found = procedure.calibrate(bench, gpu, 60.0, note)

`pattern` is the load, `response` reads tick, windows and shares off it, `decay` what is left after it, and
`reference` gain and offset from an external meter. All of these are arithmetic on stamped
readings; `procedure` drives card and worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from bench.core.calibration import Calibration
from bench.meters.gpu import Gpu
from bench.store import calibration


def calibrations(
    machine_folder: Path, gpus: Iterable[Gpu], note: Callable[[str], None]
) -> dict[str, Calibration]:
    """Calibrations of these cards with today's driver, by UUID.

    How a card's sensor is read is the driver's affair: what was found with another one is left out, with a
    note. Raises RecordError for a file that cannot be read.
    """
    found: dict[str, Calibration] = {}
    for gpu in gpus:
        known = calibration.load(machine_folder, gpu.uuid)
        if known is None:
            continue
        driver = gpu.versions().driver
        if known.driver == driver:
            found[gpu.uuid] = known
        else:
            note(
                f"The calibration of gpu {gpu.index} is left out: it is of driver {known.driver}, and now "
                f"it is {driver}. Calibrate again: python -m bench calibrate --gpus {gpu.index}"
            )
    return found


def delays_s(known: Mapping[str, Calibration]) -> dict[str, float]:
    """Publishing delay of each card's counter, in seconds by UUID, where it was found."""
    return {
        uuid: found.counter.delay_s
        for uuid, found in known.items()
        if found.counter and found.counter.delay_s is not None
    }
