"""Machine-readable output of `bench watch`: JSON Lines, one per tick, or CSV, a row per domain and tick."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from bench.errors import RecordError
from bench.exports.csv_cells import safe
from bench.view.documents.watch import document, end_keys

if TYPE_CHECKING:
    from bench.footprint.bundled_rows import Factor
    from bench.measurement.live import DomainSnapshot, Snapshot
    from bench.view.watch_summary import WatchedCommand

COLUMNS = (
    "time",
    "elapsed_s",
    "event",
    "domain",
    "name",
    "kind",
    "source",
    "power_w",
    "power_source",
    "energy_j",
    "seconds",
    "lost_s",
    "reason",
    "temperature_c",
    "sm_clock_mhz",
    "memory_clock_mhz",
    "throttle",
    "utilisation_percent",
)


class JsonLines:
    """One object a look; the last has the event `end` and what watching took."""

    def __init__(self, stream: IO[str], grid: Factor) -> None:
        self._stream, self._grid = stream, grid

    def show(self, look: Snapshot) -> None:
        """A line for a tick."""
        self._write(document(look, "tick", line_time(), self._grid))

    def end(self, look: Snapshot, own_share: float, ended: WatchedCommand | None) -> None:
        """The last line."""
        self._write(document(look, "end", line_time(), self._grid) | end_keys(own_share, ended))

    def _write(self, line: Mapping[str, Any]) -> None:
        _put(self._stream, json.dumps(line, allow_nan=False) + "\n")


class CsvRows:
    """A header, then a row for each domain of a look; sums are the reader's, by the kinds that fit."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._rows([COLUMNS])

    def show(self, look: Snapshot) -> None:
        """The rows of a tick."""
        self._looked(look, "tick")

    def end(self, look: Snapshot, own_share: float, ended: WatchedCommand | None) -> None:  # noqa: ARG002
        """The last rows."""
        self._looked(look, "end")

    def _looked(self, look: Snapshot, event: str) -> None:
        stamp = line_time()
        head = {"time": stamp, "elapsed_s": look.elapsed_s, "event": event}
        rows = [head | _flat(each) for each in look.domains]
        rows += [head | {"domain": name, "reason": reason} for name, reason in look.absent.items()]
        self._rows([tuple(row.get(name) for name in COLUMNS) for row in rows])

    def _rows(self, rows: list[tuple[Any, ...]]) -> None:
        text = io.StringIO()  # whole rows at once: a reader of the growing file never sees half a one
        csv.writer(text, lineterminator="\n").writerows([safe(value) for value in row] for row in rows)
        _put(self._stream, text.getvalue())


def _flat(domain: DomainSnapshot) -> dict[str, Any]:
    card = asdict(domain.card) if domain.card else {}
    throttle = None if card.get("throttle") is None else " ".join(card["throttle"])
    return asdict(domain) | card | {"name": domain.label, "throttle": throttle}


def _put(stream: IO[str], text: str) -> None:
    """Write at once. Raises RecordError on a full disk, BrokenPipeError when the reader is gone."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RecordError(f"The lines cannot be written any more: {error.strerror}.") from error


def line_time() -> str:
    """The time of a line, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
