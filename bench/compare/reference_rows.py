"""Published and imported figures shown beneath a ranking: same model, same scope, never ranked.

    for one in fitting(board, references):
        print(one.joules.value, one.unlike)         # 417.1, ("4 GPUs, not 1", "batch 8, not 1")

A figure per output token is converted to pages by the assumed tokens of a page, with a note; there is then
no ratio. One per clip is converted to seconds by the length that its source states. Where unit and scope
agree there is a ratio, over the reference machine or the only one, with what is unlike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.compare.across import RankedRow, Ranking, Span
from bench.core.quantities import Range
from bench.core.recorded import RecordedCase
from bench.core.workload import WHOLE_LOAD
from bench.footprint.bundled_rows import Published
from bench.footprint.figure_units import condition_text, joules_per
from bench.footprint.reference import human_quantities, published
from bench.footprint.references import References

MARK = "░"
"""Stands before each, as hatching does in a drawing."""
SHOWN = 6
"""Beneath one ranking: a leaderboard's file has a hundred rows of one model."""
SAME_LENGTH = 0.05
"""Largest difference of lengths that count as alike."""
TOKENS = "page.tokens"
LENGTHS = ("seconds", "frames", "fps")
"""Options and conditions that say how long a clip is."""


@dataclass(frozen=True)
class ReferenceRows:
    """One figure beside a board."""

    row: Published
    joules: Range
    """Per unit of the board."""
    unlike: tuple[str, ...]
    """Conditions that differ, in words, and those that the row does not state."""
    ratio: float | None
    """Over the reference machine, or over the only one of the board."""


def candidates(imported: References) -> list[Published]:
    """Every figure that has joules: the bundled ones and those of files."""
    return [row for row in (*published(), *imported.figures) if row.joules is not None]


def fitting(board: Ranking, rows: Iterable[Published]) -> list[ReferenceRows]:
    """The rows of the board's model, unit and scope, those with the fewest unlike conditions first."""
    groups = [one for row in rows for one in _beside(board, row)]
    together = _together(board.standings[0].found.record.case)
    return sorted(groups, key=lambda one: (len(one.unlike), _far(one.row, together), one.row.id))


def _together(case: RecordedCase) -> int:
    """Number made at once: a batch, or the load of a server where it is always as large."""
    workload = case.workload
    return int(workload.load or 1) if workload and workload.kind in WHOLE_LOAD else case.batch


def _far(row: Published, batch: int) -> float:
    """Number of doublings between the batches; a row that does not state its own comes first."""
    theirs = _batch(row)
    return abs(math.log2(theirs / batch)) if isinstance(theirs, float) and theirs > 0 else 0.0


def _batch(row: Published) -> float | str | None:
    """Number made at once: of a server, the most that it takes, or that its client kept open."""
    stated = row.conditions
    return stated.get("batch", stated.get("max_num_seqs", stated.get("concurrency")))


def _beside(board: Ranking, row: Published) -> Iterator[ReferenceRows]:
    case = board.standings[0].found.record.case
    joules = _each(row, board.unit)
    if row.scope == board.like[0] and joules is not None and _same_model(row, case.weights.hub_id):
        base = None if _by_tokens(row, board.unit) else _base(board.standings)
        ratio = joules.value / base.energy.value if base else None
        yield ReferenceRows(row, joules, tuple(_unlike(board, row, case)), ratio)


def _each(row: Published, unit: str) -> Range | None:
    """Joules per unit of a board; `None` where the row counts something else."""
    if row.joules is not None and _by_tokens(row, unit):
        return row.joules.range * human_quantities()[TOKENS].range
    if row.unit == unit or unit.endswith("_second"):
        joules = joules_per(row, unit)
        return joules.range if joules else None
    return None


def _by_tokens(row: Published, unit: str) -> bool:
    """Whether a figure per token is converted to pages of an assumed length."""
    return (row.unit, unit) == ("output_token", "page")


def _same_model(row: Published, hub_id: str | None) -> bool:
    """Whether both have the same name on the hub. Owners mirror repositories, so the owner does not count."""
    return bool(hub_id) and _name(row.system) == _name(str(hub_id))


def _name(hub_id: str) -> str:
    return hub_id.rpartition("/")[2].lower()


def _base(standings: Sequence[RankedRow]) -> RankedRow | None:
    named = next((one for one in standings if one.ratio == Span(1.0)), None)
    return named or (standings[0] if len(standings) == 1 else None)


def _unlike(board: Ranking, row: Published, case: RecordedCase) -> Iterator[str]:
    """Known differences, first those that joules depend on most."""
    records = [one.found.record for one in board.standings]
    stated, options, hub_id = row.conditions, case.options, str(case.weights.hub_id)
    if _by_tokens(row, board.unit):
        tokens = human_quantities()[TOKENS]
        yield f"per output token, {tokens.value:g} ({tokens.low:g} to {tokens.high:g}) a page assumed"
    machines = {one.place.machine for one in board.standings}
    if row.hardware and not any(_same_card(row.hardware, each) for each in machines):
        yield f"on {row.hardware}"
    gpus = {len(record.machine.metered) for record in records}
    if "gpus" in stated and stated["gpus"] not in gpus:
        yield f"{condition_text(stated['gpus'])} GPUs, not {' or '.join(map(str, sorted(gpus)))}"
    if (stated.get("engine") == "vllm" or "vLLM" in row.boundary) and not _is_served(case):
        yield f"served by vLLM, not {case.engine} in one process"
    if case.weights.kind == "random":
        yield "real weights, not random ones"
    size = [f"{stated[key]:g}" for key in ("width_px", "height_px") if isinstance(stated.get(key), float)]
    here = f"{options['width']}x{options['height']}" if {"width", "height"} <= options.keys() else None
    pairs = (
        ("requests at once" if _is_served(case) else "batch", _batch(row), _together(case)),
        ("steps", stated.get("steps"), options.get("steps")),
        ("size", "x".join(size) or stated.get("resolution"), here),
        ("precision", stated.get("precision"), case.dtype),
        *((name, stated.get(name), options.get(name)) for name in LENGTHS),
    )
    for name, theirs, ours in pairs:
        if theirs is not None and ours is not None and theirs != ours:
            yield f"{name} {condition_text(theirs)}, not {ours}"
    missing = [name for name, theirs, ours in pairs if theirs is None and ours is not None]
    if missing and not _by_tokens(row, board.unit):
        yield f"{', '.join(missing)} not among its conditions"
    length, new_tokens = stated.get("avg_output_tokens"), options.get("new_tokens")
    if isinstance(length, float) and new_tokens and abs(length / new_tokens - 1) > SAME_LENGTH:
        yield f"{length:.0f} output tokens, not {new_tokens}"
    if row.system != hub_id:
        yield f"published as {row.system}"


def _same_card(hardware: str, name: str) -> bool:
    """Whether a word with a number in it, such as H100, is in both."""
    theirs, ours = (set(re.findall(r"[A-Z]+\d+\w*|\d{3,4}", text)) for text in (hardware, name))
    return bool(theirs & ours)


def _is_served(case: RecordedCase) -> bool:
    return case.workload is not None and case.workload.of_requests
