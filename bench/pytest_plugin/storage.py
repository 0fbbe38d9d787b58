"""Saved sessions: one folder a machine, one file a session.

    .energy/nvidia-h200-1a2b3c4d/0001_base.json

A file has the machine and, by test, the whole result: every window, the figures and their budget.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.core.energy_result import SavedSession
from bench.core.machine import Machine
from bench.core.untrusted import text_in
from bench.errors import PrerequisiteError, RecordError, UsageError
from bench.machine import provenance
from bench.meters.gpus import GpuDrivers
from bench.pytest_plugin.figures import MeasuredTest
from bench.store.results import slug, to_json, write_atomically


def machine() -> Machine:
    """Identity of this machine: cards with their limits, driver, processor."""
    with GpuDrivers() as drivers:
        return provenance.machine(drivers)


def folder_of(storage: Path, identity: Machine) -> Path:
    """The folder of a machine's sessions."""
    return storage / slug(str(identity.name))


def save(folder: Path, name: str, identity: Machine, measured: Sequence[MeasuredTest]) -> Path:
    """Keep a session under the next number. Raises PrerequisiteError where the folder cannot be written."""
    saved = SavedSession(
        created=provenance.now_utc(),
        machine=identity,
        tests={each.test: each.result for each in measured},
    )
    numbers = [number for number, _ in _listed(folder)]
    path = folder / f"{max(numbers, default=0) + 1:04d}_{slug(name)}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, to_json(saved))
    except OSError as error:
        raise PrerequisiteError(
            f"{path}: cannot be written: {error.strerror}.", "Name another folder with --energy-storage."
        ) from error
    return path


def find(folder: Path, wanted: str) -> Path:
    """The file of a saved session: the latest, one by its number, or a path. Raises UsageError."""
    by_number = dict(_listed(folder))
    if wanted.isdecimal() and int(wanted) in by_number:
        return by_number[int(wanted)]
    if wanted and Path(wanted).is_file():
        return Path(wanted)
    if wanted or not by_number:
        missing = f"no saved session {wanted!r}" if wanted else "no saved session"
        raise UsageError(f"--energy-compare: {missing} in {folder}.", "Save one with --energy-save=NAME.")
    return by_number[max(by_number)]


def read(path: Path) -> SavedSession:
    """A saved session. Raises RecordError with what is wrong."""
    try:
        return SavedSession.model_validate_json(text_in(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"])) or "the file"
        raise RecordError(f"{path}: not a saved session: {at}: {first['msg']}.") from error
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read: {error}.") from error


def _listed(folder: Path) -> list[tuple[int, Path]]:
    matches = [(re.match(r"(\d+)_", path.name), path) for path in folder.glob("*.json")]
    return [(int(match[1]), path) for match, path in matches if match]
