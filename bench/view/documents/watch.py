"""Document of `watch --json`: one look, which is one line."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bench.view.live import grams

if TYPE_CHECKING:
    from bench.footprint.bundled_rows import Factor
    from bench.measurement.live import Snapshot
    from bench.view.watch_summary import WatchedCommand

SCHEMA = "joulebench/watch/1"


def document(look: Snapshot, event: str, time: str, grid: Factor) -> dict[str, Any]:
    """Domains and totals of a look at a `time` in UTC; `event` is `tick` or `end`."""
    tokens = {} if look.tokens is None else {"tokens": asdict(look.tokens)}
    return {
        "schema": SCHEMA,
        "event": event,
        "time": time,
        "elapsed_s": look.elapsed_s,
        "domains": {each.domain: {"name": each.label} | asdict(each) for each in look.domains},
        "totals": {
            scope: asdict(total) | {"carbon_g": grams(total.energy_j, grid)}
            for scope, total in look.totals.items()
        },
        "absent": look.absent,
        "grid": {"g_per_kwh": grid.range.value, "region": grid.region, "year": grid.year, "id": grid.id},
    } | tokens


def end_keys(own_share: float, ended: WatchedCommand | None) -> dict[str, Any]:
    """Keys of the last line beside those of a look: the cost of watching, and the watched command."""
    if ended is None:
        return {"own_share": own_share}
    return {
        "own_share": own_share,
        "command": list(ended.command),
        "exit_status": ended.exit_status,
        "result": ended.result.as_dict(),
    }
