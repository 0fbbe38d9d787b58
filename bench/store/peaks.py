"""Peaks of a machine's devices, as `python -m bench roofline peaks` measured them.

    found = peaks.of_device(machine_folder, "GPU-...")     # None where never measured

One file per device, `results/<machine>/.peaks/<uuid or cpu>.json`: hidden, because it is not a record.
"""

from __future__ import annotations

from pathlib import Path

from bench.core.peaks import DevicePeaks
from bench.store import device_facts
from bench.store.results import slug

FOLDER = ".peaks"
OLD_FOLDER = ".ceilings"
"""Read where `FOLDER` has no file: versions before wrote there, and a card's peaks are measured once."""


def path_of(machine_folder: Path, device: str) -> Path:
    """Path that a device's peaks are written to."""
    return machine_folder / FOLDER / f"{slug(device)}.json"


def save(machine_folder: Path, found: DevicePeaks) -> Path:
    """Write them beside the machine's records, whole or not at all. Raises RecordError."""
    return device_facts.save(path_of(machine_folder, found.device), found)


def of_device(machine_folder: Path, device: str) -> DevicePeaks | None:
    """The peaks of a device, or `None` where they were never measured. Raises RecordError."""
    old = machine_folder / OLD_FOLDER / f"{slug(device)}.json"
    return load(path_of(machine_folder, device)) or load(old)


def load(path: Path) -> DevicePeaks | None:
    """The peaks in a file, or `None` where there is none. Raises RecordError for anything else."""
    way_out = "Measure them again with `python -m bench roofline peaks`, or remove the file."
    return device_facts.load(path, DevicePeaks, "a file of peaks", way_out)
