"""A window as its meters saw it: opened, its edges, and the readings once it is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from bench.core.block import CodeCarbonTask
from bench.core.energy import DomainEnergy
from bench.meters.base import Reading
from bench.meters.rests import CardAtRest


@dataclass(frozen=True)
class MeteredWindow:
    """Readings of all meters for one stretch of time."""

    start_ns: int
    end_ns: int
    energy: dict[str, DomainEnergy]
    """Joules by domain, those of rests inside the window included."""
    task: CodeCarbonTask | None
    """`None` of work on another machine."""
    steady: bool = False
    """Whether it is a stretch of a load that went on before and after it."""
    at_rest: dict[str, CardAtRest] = field(default_factory=dict)
    """By domain, of the cards whose counter showed its updates on both sides of the window."""

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return (self.end_ns - self.start_ns) / 1e9


@dataclass(frozen=True)
class OpenWindow:
    """A window that has begun: each meter's own token."""

    start_ns: int
    others_ns: int
    counters: dict[str, Reading]


class WindowEdges(NamedTuple):
    """Start and end of a window; `steady` if the load goes on before and after it."""

    start_ns: int
    end_ns: int
    steady: bool = False
