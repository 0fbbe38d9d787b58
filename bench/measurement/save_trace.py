"""The recorder's samples of one case, put into a file beside its record once the case is over."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.core.record import Record
from bench.measurement.case_state import CaseState
from bench.meters import sampling
from bench.meters.recorder import NAMES, Recorder
from bench.store import traces

LEAD_S = 2.0
"""Time before the model was loaded at which a trace begins: its first block has a sample before it then."""
PIECE_S = 1200.0
"""Rows of eight cards in that time take 13 MB, and 90 MB if all of it is beside edges of windows."""
NOT_LOADED = "the case ended before its model was loaded"
NOT_SAMPLED = "no meter of this machine is sampled: every figure is an estimate"
NOT_SEEN = "the recorder saw nothing of this case"
INTERRUPTED_MEANWHILE = "the run was interrupted before it was written"


def with_trace(record: Record, progress: CaseState, recorder: Recorder, folder: Path, stem: str) -> Record:
    """The record, naming the trace that was written into its folder, or saying why there is none.

    If a trace cannot be written, the record is kept without it.
    """
    reason = NOT_LOADED
    if progress.loaded_ns is not None:
        samples = trace(recorder, progress, progress.loaded_ns)
        first = next(samples, None)
        sampled = bool(progress.gpus or progress.nodes or recorder.source_domains)
        reason = NOT_SEEN if sampled else NOT_SAMPLED
        if first is not None:
            name = f"{traces.FOLDER}/{stem}{traces.SUFFIX}"
            try:
                traces.write(folder / name, itertools.chain([first], samples))
                return record.model_copy(update={"trace": name})
            except OSError as error:
                reason = f"it could not be written: {error.strerror or error}"
    return without_trace(record, reason)


def without_trace(record: Record, reason: str) -> Record:
    """The record, saying why it has no trace."""
    return record.model_copy(update={"absent": record.absent | {"trace": reason}})


def trace(recorder: Recorder, progress: CaseState, start_ns: int) -> Iterator[traces.Samples]:
    """All samples of the metered cards and of other sources' domains, from just before a moment until now.

    They come in pieces of `PIECE_S`, so that a case of days is never in memory as a whole.
    Those of a server's nodes are of their agents, stamped by the clock of this machine.
    """
    start_ns, end_ns = start_ns - round(LEAD_S * 1e9), time.monotonic_ns()
    if progress.nodes is not None:
        found = progress.nodes.samples(start_ns, end_ns)
        yield from (_of_rows(domain, rows) for domain, rows in found.items())
        return
    kinds: dict[str, tuple[int, tuple[int, ...]]] = {
        gpu.domain: (gpu.index, (sampling.FAST, sampling.SLOW)) for gpu in progress.gpus
    }
    kinds |= {name: (number, (sampling.SOURCE,)) for number, name in enumerate(recorder.source_domains)}
    piece_ns = round(PIECE_S * 1e9)
    for domain, (index, of) in kinds.items():
        for begin_ns in range(start_ns, end_ns + 1, piece_ns):
            last_ns = min(begin_ns + piece_ns - 1, end_ns)
            samples = _samples(recorder, domain, index, of, begin_ns, last_ns)
            if len(samples.t_ns):
                yield samples


def _samples(
    recorder: Recorder, domain: str, index: int, kinds: tuple[int, ...], start_ns: int, end_ns: int
) -> traces.Samples:
    """A domain's samples of several kinds in time."""
    parts = [recorder.samples(kind, index, start_ns, end_ns) for kind in kinds]
    t_ns = np.concatenate([stamps for stamps, _ in parts])
    order = np.argsort(t_ns, kind="stable")
    absent = [np.full(len(stamps), np.nan) for stamps, _ in parts]
    values = {
        name: np.concatenate([of.get(name, none) for (_, of), none in zip(parts, absent, strict=True)])[order]
        for name in traces.VALUES
    }
    return traces.Samples(domain, t_ns[order], values)


def _of_rows(domain: str, rows: NDArray[np.void]) -> traces.Samples:
    """A domain's samples from the recorder's rows of several kinds, in time."""
    values = {name: np.full(len(rows), np.nan) for name in traces.VALUES}
    for kind, names in NAMES.items():
        of_kind = rows["kind"] == kind
        for column, name in enumerate(names):
            if name in values:
                values[name][of_kind] = rows["value"][of_kind, column]
    return traces.Samples(domain, rows["t_ns"], values)
