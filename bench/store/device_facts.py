"""Storage of facts about one device, in files beside a machine's records.

device_facts.save(path, calibration)
device_facts.load(path, Calibration, "a calibration", "Calibrate again.")     # None without a file
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bench.core.model import SchemaModel
from bench.core.untrusted import bounded
from bench.errors import RecordError
from bench.store.results import to_json, write_atomically
from bench.streams import reading

Facts = TypeVar("Facts", bound=SchemaModel)


def save(path: Path, found: SchemaModel) -> Path:
    """Write them whole or not at all, making their folder. Raises RecordError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, to_json(found))
    except OSError as error:
        reason = error.strerror or str(error)
        raise RecordError(f"{path} cannot be written: {reason}.", "Name another --results DIR.") from error
    return path


def load(path: Path, kind: type[Facts], what: str, way_out: str) -> Facts | None:
    """The facts in a file, or `None` without a file. Raises RecordError: path, `what` it is not, and why."""
    try:
        with reading(path) as file:
            return kind.model_validate_json(bounded(file).decode("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.", way_out) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RecordError(f"{path} is not {what}: {at}: {first['msg']}.", way_out) from error
    except ValueError as error:  # not UTF-8, or too large
        raise RecordError(f"{path} is not {what}: {error}.", way_out) from error
