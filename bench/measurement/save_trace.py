"""The recorder's samples of one case, put into a file beside its record once the case is over."""

from __future__ import annotations

import time
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
        sampled = bool(progress.gpus or progress.nodes or recorder.source_domains)
        reason = NOT_SEEN if sampled else NOT_SAMPLED
        if samples:
            name = f"{traces.FOLDER}/{stem}{traces.SUFFIX}"
            try:
                traces.write(folder / name, samples)
                return record.model_copy(update={"trace": name})
            except OSError as error:
                reason = f"it could not be written: {error.strerror or error}"
    return without_trace(record, reason)


def without_trace(record: Record, reason: str) -> Record:
    """The record, saying why it has no trace."""
    return record.model_copy(update={"absent": record.absent | {"trace": reason}})


def trace(recorder: Recorder, progress: CaseState, start_ns: int) -> traces.Trace:
    """All samples of the metered cards and of other sources' domains, from just before a moment until now.

    Those of a server's nodes are its agents', stamped by the clock of this machine.
    """
    start_ns, end_ns = start_ns - round(LEAD_S * 1e9), time.monotonic_ns()
    if progress.nodes is not None:
        found = progress.nodes.samples(start_ns, end_ns)
        return {domain: _of_rows(domain, rows) for domain, rows in found.items()}
    kinds: dict[str, tuple[int, tuple[int, ...]]] = {
        gpu.domain: (gpu.index, (sampling.FAST, sampling.SLOW)) for gpu in progress.gpus
    }
    kinds |= {name: (number, (sampling.SOURCE,)) for number, name in enumerate(recorder.source_domains)}
    by_domain = {
        domain: _samples(recorder, domain, index, of, start_ns, end_ns)
        for domain, (index, of) in kinds.items()
    }
    return {domain: samples for domain, samples in by_domain.items() if len(samples.t_ns)}


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
