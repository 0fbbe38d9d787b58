"""Accepted changes, kept in `accepted.yaml` beside the baseline.

The file is reviewed in the commit that makes the change. An entry lets one metric of one baseline record
through, as far as the change went when it was accepted: a greater one, another metric, or another baseline
does not pass.

    baseline: 1f3a...        # digest of the baseline record: a new baseline voids the entry
    metric: energy
    ratio: 1.087             # as it was seen
    up_to: 1.104             # the upper end of its interval: the limit for later runs
    reason: fp32 VAE, for the black images
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.compare.comparison import Comparison, MetricRow
from bench.core.untrusted import bounded, yaml_of
from bench.errors import RecordError
from bench.store.results import write_atomically
from bench.streams import reading

FILE_NAME = "accepted.yaml"

AcceptedRatio = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Accepted(BaseModel):
    """One accepted change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case: str
    """The case in words, for the reviewer."""
    baseline: str
    metric: str
    ratio: AcceptedRatio
    up_to: AcceptedRatio
    reason: Annotated[str, Field(min_length=1)]
    accepted: str
    """Time in UTC."""


def read(path: Path) -> list[Accepted]:
    """The entries of a file; none without a file. Raises RecordError with the fault."""
    try:
        with reading(path) as file:
            listed = yaml_of(bounded(file).decode("utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read: {' '.join(str(error).split())}.") from error
    try:
        return [Accepted.model_validate(entry) for entry in _list(listed)]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"])) or "an entry"
        raise RecordError(
            f"{path}: {at}: {first['msg']}.", "`python -m bench accept` writes this file."
        ) from error
    except TypeError as error:
        raise RecordError(f"{path}: {error}.", "`python -m bench accept` writes this file.") from error


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("it is not a list of accepted changes")
    return value


def add(path: Path, new: Sequence[Accepted]) -> None:
    """Write further entries; one of the same baseline and metric is replaced. Raises RecordError."""
    replaced = {(entry.baseline, entry.metric) for entry in new}
    kept = [entry for entry in read(path) if (entry.baseline, entry.metric) not in replaced]
    try:
        write_atomically(path, text_of([*kept, *new]))
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}.") from error


def text_of(entries: Sequence[Accepted]) -> str:
    """Entries as the text of a file."""
    head = "# Changes accepted against the baseline beside this file; written by `python -m bench accept`.\n"
    listed = [entry.model_dump() for entry in entries]
    return head + str(yaml.safe_dump(listed, sort_keys=False, allow_unicode=True, width=100))


def accepting(comparison: Comparison, row: MetricRow, entries: Sequence[Accepted]) -> Accepted | None:
    """The entry that lets a row pass that is worse."""
    if row.verdict != "worse" or row.ratio is None:
        return None
    return covering(entries, comparison.a.digest, row.metric.name, row.ratio.value)


def covering(entries: Sequence[Accepted], baseline: str, metric: str, ratio: float) -> Accepted | None:
    """The entry that lets this change pass."""
    for entry in entries:
        if (entry.baseline, entry.metric) == (baseline, metric) and ratio <= max(entry.ratio, entry.up_to):
            return entry
    return None
