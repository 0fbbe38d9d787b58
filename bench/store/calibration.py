"""Files of calibrations: one a card, `results/<machine>/calibration/<uuid>.json`, beside the records.

found = calibration.load(machine_folder, uuid)       # None where it never was calibrated
"""

from __future__ import annotations

from pathlib import Path

from bench.core.calibration import Calibration
from bench.store import device_facts
from bench.store.results import slug

FOLDER = "calibration"


def path_of(machine_folder: Path, uuid: str) -> Path:
    """Path of a card's calibration."""
    return machine_folder / FOLDER / f"{slug(uuid)}.json"


def save(machine_folder: Path, found: Calibration) -> Path:
    """Write it beside the machine's records, whole or not at all. Raises RecordError."""
    return device_facts.save(path_of(machine_folder, found.uuid), found)


def load(machine_folder: Path, uuid: str) -> Calibration | None:
    """Calibration of a card; `None` without one. Raises RecordError."""
    path = path_of(machine_folder, uuid)
    return device_facts.load(path, Calibration, "a calibration", "Calibrate again, or remove the file.")
