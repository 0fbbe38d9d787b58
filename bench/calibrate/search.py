"""Search for the smallest residual: on a grid, then in finer steps around its best point."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from bench.core.arrays import Floats

SearchPoint = tuple[float, ...]
Unexplained = Callable[..., float]

FOLLOWING = (np.log(0.0005), np.log(0.02), np.log(0.1))
"""Time constants with which a card's power may follow its load, as logarithms of seconds."""
ROUNDS, NEAREST = 60, 1 / 64
MOST = 700
"""Readings that a fit rests on: with more, evenly left out, it only takes longer."""


def thinned(column: Floats) -> Floats:
    """At most about `MOST` of them, evenly spaced."""
    return column[:: len(column) // MOST + 1]


def unexplained_share(shares: Floats, watts: Floats) -> float:
    """Share of the readings' variance that a line over the load leaves; 1 where they fall with it."""
    x, y = shares - shares.mean(), watts - watts.mean()
    together, squares = float(x @ y), float(x @ x) * float(y @ y)
    if together <= 0 or squares == 0:
        return 1.0
    return max(0.0, 1.0 - together**2 / squares)


def best(unexplained: Unexplained, grid: Iterable[SearchPoint]) -> SearchPoint:
    """The point of a grid that leaves least."""
    return min(grid, key=lambda point: unexplained(*point))


def descend(unexplained: Unexplained, start: SearchPoint, widths: SearchPoint) -> SearchPoint:
    """Descend from there along each coordinate, then on in the same direction, in ever smaller steps.

    This is Hooke and Jeeves' search: it needs no slope, and follows a narrow valley.
    """
    point, least, scale = start, unexplained(*start), 1.0
    for _ in range(ROUNDS):
        found, now = _around(unexplained, point, least, tuple(width * scale for width in widths))
        if now < least:
            onward = tuple(2 * new - old for new, old in zip(found, point, strict=True))
            point, least = found, now
            if (there := unexplained(*onward)) < least:
                point, least = onward, there
        else:
            scale /= 2
            if scale < NEAREST:
                break
    return point


def _around(
    unexplained: Unexplained, point: SearchPoint, least: float, widths: SearchPoint
) -> tuple[SearchPoint, float]:
    """The best of a step to either side along each coordinate in turn, and what it leaves."""
    for axis, width in enumerate(widths):
        for step in (-width, width):
            tried = (*point[:axis], point[axis] + step, *point[axis + 1 :])
            if (now := unexplained(*tried)) < least:
                point, least = tried, now
                break
    return point, least
