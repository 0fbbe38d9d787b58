"""Records of what killed runs left, made before it is decided what is measured.

    recover_before_skipping(results, machine_name, note)

A run that is killed after the last block of a case leaves all of its blocks: its record answers the case.
"""

from __future__ import annotations

from pathlib import Path

from bench.machine.locks import Note
from bench.store.machine_folder import MachineFolder


def recover(folder: MachineFolder, note: Note) -> None:
    """Make records of what killed runs left in a folder that this run has locked."""
    for path in folder.recover():
        note(f"An earlier run was killed; what it had measured is in {path}.")


def recover_before_skipping(results: Path, machine: str, note: Note) -> None:
    """The same, under the folder's lock, where a killed run left something. Raises PrerequisiteError."""
    folder = MachineFolder(results, machine)
    if folder.has_leftovers():
        with folder:
            recover(folder, note)
