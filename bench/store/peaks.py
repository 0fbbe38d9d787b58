"""Peaks of a machine's devices, as `python -m bench roofline peaks` measured them.

    found = peaks.load(peaks.path_of(machine_folder, "GPU-..."))     # None where never measured

One file per device, `results/<machine>/.ceilings/<uuid or cpu>.json`: hidden, because it is not a record.
"""

from __future__ import annotations

from pathlib import Path

from bench.core.peaks import DevicePeaks
from bench.store import device_facts
from bench.store.results import slug

FOLDER = ".ceilings"


def path_of(machine_folder: Path, device: str) -> Path:
    """Path of a device's peaks."""
    return machine_folder / FOLDER / f"{slug(device)}.json"


def save(machine_folder: Path, found: DevicePeaks) -> Path:
    """Write them beside the machine's records, whole or not at all. Raises RecordError."""
    return device_facts.save(path_of(machine_folder, found.device), found)


def load(path: Path) -> DevicePeaks | None:
    """The peaks in a file, or `None` where there is none. Raises RecordError for anything else."""
    way_out = "Measure them again with `python -m bench roofline peaks`, or remove the file."
    return device_facts.load(path, DevicePeaks, "a file of peaks", way_out)
