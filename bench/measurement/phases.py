"""Seconds and joules of each phase of a block: prefill and decode; text encoder, denoising, VAE.

The engine stamps the edges. A phase is often shorter than the counter's tick, and no tick shows it; but a
block has hundreds of ticks, each with another share of every phase. So the joules of all ticks are fitted
by one power per phase (and one for the time between), by least squares. A phase whose power has a larger
standard error than `LARGEST_ERROR` has no joules, only a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bench.core.arrays import Floats
from bench.core.block import Phase
from bench.core.energy import DomainEnergy
from bench.meters import ticks
from bench.meters.base import unreadable
from bench.meters.gpu import Gpu
from bench.meters.recorder import Recorder
from bench.meters.rests import Spans
from bench.worker.messages import Batch

LARGEST_ERROR = 0.10
"""Largest relative standard error of a phase's power."""
AROUND_S = 1.0
"""Idle before and after the work that takes part in the fit."""
LATEST_S = 0.25
"""Largest publishing delay of a counter that still resolves phases."""
LAG_STEP_S = 0.004
"""Between two lags of the counter that are tried at first."""
LAG_SLOPE_S = 0.001
LEAST_OWN_SHARE = 0.01
"""Of the squared seconds of a phase in all ticks: what must not be a mixture of other phases' seconds."""


def phases(recorder: Recorder, gpus: Sequence[Gpu], batches: Sequence[Batch]) -> dict[str, Phase]:
    """Every phase of the batches just made, summed over them."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for batch in batches:
        for phase in batch.phases:
            spans.setdefault(phase.name, []).append((phase.start_ns, phase.end_ns))
    energies = {gpu.domain: _energies(recorder, gpu, spans) for gpu in gpus} if spans else {}
    return {
        name: Phase(
            seconds=sum(end - start for start, end in pairs) / 1e9,
            count=len(pairs),
            energy={domain: by_phase[name] for domain, by_phase in energies.items()},
        )
        for name, pairs in spans.items()
    }


def _energies(recorder: Recorder, gpu: Gpu, spans: Mapping[str, Spans]) -> dict[str, DomainEnergy]:
    around_ns = round(AROUND_S * 1e9)
    first_ns = min(start for pairs in spans.values() for start, _ in pairs)
    last_ns = max(end for pairs in spans.values() for _, end in pairs)
    moves = ticks.counter_updates(recorder, gpu.index, first_ns - around_ns, last_ns + around_ns)
    if moves is None:
        reason = "the counter moved too seldom, or too irregularly, to separate phases"
        return {name: _absent(reason) for name in spans}
    edges = [np.asarray(pairs, dtype=np.float64) - moves.origin_ns for pairs in spans.values()]
    best = _best(moves, [pairs / 1e9 for pairs in edges])
    if isinstance(best, str):
        return {name: _absent(best) for name in spans}
    return {
        name: _energy(float(power_w), float(error_w), pairs)
        for (name, pairs), power_w, error_w in zip(spans.items(), best.power_w, best.error_w, strict=True)
    }


class _Fit(NamedTuple):
    """Power of each phase and its standard error in watts, infinite for a phase that is not identifiable."""

    power_w: Floats
    error_w: Floats


def _best(moves: ticks.CounterUpdates, edges_s: Sequence[Floats]) -> _Fit | str:
    """The fit at the lag of the counter that leaves least, coarse first and then sharp; or why there is none.

    The lag is a quantity of the fit like the powers: where another fits as well, errors are larger.
    It is that of the grid within a sample, and how late the counter publishes.
    """
    from scipy.optimize import minimize_scalar

    def left_j2(lag_s: float) -> float:
        matrix, joules = _equations(moves, edges_s, lag_s)
        power_w = np.linalg.lstsq(matrix, joules, rcond=None)[0]
        return float(np.sum((joules - matrix @ power_w) ** 2))

    lags_s = np.arange(-moves.sample_s, moves.sample_s + LATEST_S, LAG_STEP_S)
    left = [left_j2(lag_s) for lag_s in lags_s]
    coarse = int(np.argmin(left))
    if coarse in {0, len(lags_s) - 1}:
        return f"the counter publishes later than {LATEST_S:g} s, or does not follow the phases at all"
    bounds = (lags_s[coarse - 1], lags_s[coarse + 1])
    optimum = minimize_scalar(left_j2, bounds=bounds, method="bounded")
    return _fit(moves, edges_s, float(optimum.x)) or "the counter moved too seldom to separate phases"


def _fit(moves: ticks.CounterUpdates, edges_s: Sequence[Floats], lag_s: float) -> _Fit | None:
    """One power per phase, fitted to the joules of all ticks; `None` if the ticks do not separate them."""
    matrix, joules = _equations(moves, edges_s, lag_s)
    power_w: Floats = np.linalg.lstsq(matrix, joules, rcond=None)[0].astype(np.float64)
    later, _ = _equations(moves, edges_s, lag_s + LAG_SLOPE_S)
    by_lag = (later - matrix) @ power_w / LAG_SLOPE_S
    slopes = np.column_stack([matrix, by_lag])
    spare = len(slopes) - slopes.shape[1]
    if spare < 1 or np.linalg.matrix_rank(slopes) < slopes.shape[1]:
        return None
    left_j2 = float(np.sum((joules - matrix @ power_w) ** 2))
    variance = left_j2 / spare * np.linalg.inv(slopes.T @ slopes)
    error_w = np.where(_identifiable(matrix[:, :-1]), np.sqrt(np.diag(variance))[: len(edges_s)], np.inf)
    return _Fit(power_w[:-1], error_w)


def _identifiable(share_s: Floats) -> Floats:
    """Phases that the ticks inside the work separate from one another, without the edges of the work.

    A phase that takes the same share of every tick differs from its neighbours at those edges alone, where
    everything else differs too.
    """
    busy_s = share_s.sum(axis=1)
    inside = share_s[busy_s > 0.9 * busy_s.max()]
    own = np.sum(inside**2, axis=0)
    others = [np.delete(inside, number, axis=1) for number in range(inside.shape[1])]
    left = [
        np.sum((column - rest @ np.linalg.lstsq(rest, column, rcond=None)[0]) ** 2) if rest.size else own[0]
        for column, rest in zip(inside.T, others, strict=True)
    ]
    identifiable: Floats = np.asarray(left) > LEAST_OWN_SHARE * own
    return identifiable


def _equations(moves: ticks.CounterUpdates, edges_s: Sequence[Floats], lag_s: float) -> tuple[Floats, Floats]:
    """Seconds of each phase, and of none, in every tick; and the tick's joules."""
    t_s = moves.t_s - lag_s
    share_s = np.stack([np.diff(_time_in(pairs, t_s)) for pairs in edges_s], axis=1)
    between_s = np.diff(t_s) - share_s.sum(axis=1)
    return np.column_stack([share_s, between_s]), np.diff(moves.energy_j)


def _time_in(pairs_s: Floats, t_s: Floats) -> Floats:
    """Seconds spent in a phase up to each moment."""
    lengths_s = pairs_s[:, 1] - pairs_s[:, 0]
    so_far_s = np.cumsum(np.column_stack([np.zeros(len(pairs_s)), lengths_s]).ravel())
    spent_s: Floats = np.interp(t_s, pairs_s.ravel(), so_far_s)
    return spent_s


def _energy(power_w: float, error_w: float, pairs: Spans) -> DomainEnergy:
    if np.isinf(error_w):
        return _absent("it takes the same share of every tick of the counter as another phase")
    if power_w <= 0 or error_w > LARGEST_ERROR * power_w:
        return _absent(f"its power is too uncertain: {power_w:.0f} W, standard error {error_w:.0f} W")
    seconds = sum(end - start for start, end in pairs) / 1e9
    return DomainEnergy(gross_j=power_w * seconds, source="counter-fit", kind="measured")


def _absent(reason: str) -> DomainEnergy:
    return unreadable("counter-fit", reason)
