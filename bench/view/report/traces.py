"""Traces of a report: the cases and quantities drawn, and the reasons for those left out.

Thinned as they are (`thinning`), traces of thousands of cases would still be tens of megabytes. So the newest
record of each case comes first, until `MOST_BYTES` are used up, and the page lists what it leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.compare.record_set import StoredRecord
from bench.core.arrays import Floats
from bench.core.domain import gpus
from bench.core.record import Record
from bench.errors import RecordError
from bench.store.traces import Samples, Stamps, read
from bench.store.traces import Trace as Sampled
from bench.view.content import Timeline, clean
from bench.view.report.report_data import ReportData
from bench.view.report.thinning import thinned

MOST_BYTES = 2_000_000
"""Of all traces in one page: some 120, which adds a fifteenth to a page of 2,000."""
BLOCKS_ALONE = (
    "No trace: {}. A window is shaded up to its mean power. The dashed line is the idle power; a triangle "
    "marks a block in which a card throttled."
)
SAMPLED = (
    "The line is the {what} of {domains}, sampled from when the model was there to the last look at idle; "
    "line and band are mean, least and most watts of each {width_s:.2g} s{thinned}. Shaded are the windows "
    "of blocks, each with a dot at its mean power; the dashed line is the idle power. Red along the top: a "
    "card throttled."
)
NOT_KEPT = "the record keeps none"
NO_ROOM = "this page has no room for more of them, `python -m bench report {}` shows it"
POWERS = {"power_instant_w": "instant power", "power_average_w": "average power"}


def courses(gathered: ReportData) -> dict[str, Timeline]:
    """Samples drawn of each record, by its digest."""
    made: dict[str, Timeline] = {}
    left = MOST_BYTES
    for found in _newest_first(gathered):
        if found.record.trace is not None and left <= 0:
            made[found.digest] = _without(NO_ROOM.format(found.where))
            continue
        made[found.digest] = course = _course(found)
        left -= len(json.dumps(course.rows)) if course.rows else 0
    return made


def sentence(gathered: ReportData, made: Mapping[str, Timeline]) -> str | None:
    """Number of traces in the page, if some were left out."""
    kept = sum(found.record.trace is not None for found in gathered.found)
    shown = sum(bool(course.rows) for course in made.values())
    if shown == kept:
        return None
    return (
        f"Traces of {shown:,} of {kept:,} cases that kept one are in this page, newest first; "
        f"the others have a reason in place of it, and `python -m bench report FILE` shows one alone."
    )


def _newest_first(gathered: ReportData) -> Iterator[StoredRecord]:
    """The newest record of each case and machine, then the rest."""
    newest = {found.digest for found in gathered.newest}
    yield from gathered.newest
    yield from (found for found in gathered.found if found.digest not in newest)


def _course(found: StoredRecord) -> Timeline:
    record = found.record
    try:
        trace = read(Path(found.where), record)
    except RecordError as error:
        return _without(clean(error.message).rstrip("."))
    if trace is None:
        return _without(clean(record.absent.get("trace", NOT_KEPT)))
    domains = _domains(record, trace)
    with np.errstate(all="ignore"):  # a file may have values that overflow; they are left out as unknown
        power = _power([trace[domain] for domain in domains])
        if power is None:
            return _without(f"{clean(str(record.trace))} has no power of what the headline is about")
        t_ns, watts, what = power
        cut = thinned(record, list(trace.values()), t_ns, watts)
    about = SAMPLED.format(
        what=what,
        domains=", ".join(map(clean, domains)),
        width_s=cut.width_s,
        thinned=f", thinned from {len(t_ns):,} samples" if len(t_ns) > len(cut.rows) else "",
    )
    return replace(cut, about=about)


def _without(reason: str) -> Timeline:
    return Timeline(BLOCKS_ALONE.format(reason))


def _domains(record: Record, trace: Sampled) -> list[str]:
    """The sampled domains of the headline; where a record has none, the cards."""
    scope = record.figures.headline_scope
    wanted = record.figures.energy_per_unit_j[scope].domains if scope else trace
    cards = gpus(trace)
    return [domain for domain in wanted if domain in trace] if scope else cards or list(trace)


def _power(domains: list[Samples]) -> tuple[Stamps, Floats, str] | None:
    """Watts of some domains together, at the samples of the first."""
    found = [_watts(samples) for samples in domains]
    if not found or any(len(t_ns) < 2 for t_ns, _, _ in found):
        return None
    t_ns = found[0][0]
    together: Floats = np.sum([np.interp(t_ns, stamps, watts) for stamps, watts, _ in found], axis=0)
    return t_ns, together, " and ".join(dict.fromkeys(name for _, _, name in found))


def _watts(samples: Samples) -> tuple[Stamps, Floats, str]:
    """The sensor's power; without one, from move to move of the energy counter."""
    for name, words in POWERS.items():
        t_ns, watts = samples.column(name)
        if len(t_ns):
            return t_ns, watts, words
    t_ns, energy_j = samples.column("energy_j")
    moved = np.flatnonzero(np.diff(energy_j) > 0) + 1
    t_ns, energy_j = t_ns[moved], energy_j[moved]
    return t_ns[1:], np.diff(energy_j) / (np.diff(t_ns) / 1e9), "power between moves of the counter"
