"""A card's reading held against a meter outside it: gain, and offset where that can be had.

The card works in stretches of constant load, at three powers, while an external meter counts. What both
counted gives a straight line, read = gain × true + offset. The reference's stated error enters twice: as one
factor common to all its readings, and as an error of each by itself; the cautious reading of one number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bench.core.arrays import Floats
from bench.core.calibration import Plateau, SensorLine
from bench.errors import UsageError

EACH = "Give the joules of each stretch by themselves, in the order of the table"
"""The way out; at the wall without the sum, which would include the rest of the machine, too."""
PLAUSIBLE = (0.5, 2.0)
"""Gains outside of this are a slip of the pen, or another unit than joules."""
SPREAD = 1.2
"""Powers nearer to each other than this factor draw no line."""

_Fitted = tuple[float, float, float | None, float, float]


def sensor_line(
    stretches: Sequence[Plateau],
    reference_j: Sequence[float],
    error: float,
    created: str,
    supply_efficiency: float | None = None,
) -> SensorLine:
    """Gain and offset from what card and reference counted. Raises UsageError for numbers that cannot be.

    One number is the sum over all stretches and gives a gain alone. With `supply_efficiency` the numbers were
    read at the wall: what the rest of the machine takes is the same in every stretch, so their differences
    are the card's, and give a gain alone, too.
    """
    if len(reference_j) not in (1, len(stretches)):
        text = f"{len(reference_j)} numbers do not fit {len(stretches)} stretches."
        raise UsageError(text, f"{EACH}{', or their sum' if supply_efficiency is None else ''}.")
    seconds = np.array([stretch.seconds for stretch in stretches])
    read_w = np.array([stretch.read_j for stretch in stretches]) / seconds
    own_u = error / math.sqrt(3)
    if len(reference_j) == 1:
        if supply_efficiency is not None:
            raise UsageError(
                "The sum alone does not separate the card from the rest of the machine.", f"{EACH}."
            )
        gain = float(np.sum(read_w * seconds)) / reference_j[0]
        fitted: _Fitted = (gain, gain * own_u, None, 0.0, 0.0)
    else:
        true_w = np.array(reference_j) / seconds * (supply_efficiency or 1.0)
        if max(true_w) < SPREAD * min(true_w):
            raise UsageError(
                f"By these numbers the card drew {min(true_w):.4g} to {max(true_w):.4g} W, and read "
                f"{min(read_w):.4g} to {max(read_w):.4g} W.",
                f"{EACH}.",
            )
        fitted = _line(true_w, read_w, own_u, with_offset=supply_efficiency is None)
    gain, gain_u, offset_w, offset_u_w, covariance_w = fitted
    if not PLAUSIBLE[0] < gain < PLAUSIBLE[1]:
        text = f"By these numbers the card would read {gain:.3g} times what it draws."
        raise UsageError(text, "Give joules (watts × seconds; 1 Wh is 3600 J), each for its own stretch.")
    return SensorLine(
        created=created,
        reference_j=list(reference_j),
        reference_error=error,
        supply_efficiency=supply_efficiency,
        gain=gain,
        gain_u=gain_u,
        offset_w=offset_w,
        offset_u_w=offset_u_w,
        covariance_w=covariance_w,
        reference_u=own_u,
        from_w=float(min(read_w)),
        to_w=float(max(read_w)),
        reason=None if offset_w is not None else _WITHOUT_OFFSET[supply_efficiency is None],
    )


_WITHOUT_OFFSET = {
    True: "one number gives no offset",
    False: "a meter at the wall also measures the rest of the machine, so the offset is unknown",
}


def _line(true_w: Floats, read_w: Floats, own_u: float, *, with_offset: bool) -> _Fitted:
    """Weighted least squares; if the points are further off the line than they may be, all is widened."""
    matrix = np.stack([true_w, np.ones_like(true_w)], axis=1)
    weights = 1 / (own_u * true_w) ** 2
    covariance = np.linalg.inv(matrix.T @ (weights[:, None] * matrix))
    found = covariance @ matrix.T @ (weights * read_w)
    freedom = len(true_w) - 2
    if freedom > 0:
        squares = float(weights @ (read_w - matrix @ found) ** 2) / freedom
        covariance *= max(1.0, squares)
    gain, offset_w = (float(value) for value in found)
    gain_u, offset_u_w = (float(value) for value in np.sqrt(np.diag(covariance)))
    if not with_offset:
        return gain, gain_u, None, 0.0, 0.0
    return gain, gain_u, offset_w, offset_u_w, float(covariance[0, 1])
