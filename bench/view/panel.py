"""Scenarios on a page, worked out anew as the reader moves their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Slider:
    """An input of a scenario that the reader moves."""

    key: str
    about: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class Choice:
    """A scenario with one energy in it: every input at its value, and those that have a slider."""

    label: str
    about: str
    unit: str
    sides: tuple[str, ...]
    values: Mapping[str, float]
    units: Mapping[str, str]
    """Of the inputs that it counts."""
    sliders: tuple[Slider, ...]
    leaves_out: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """Scenarios that are worked out anew as the reader changes them. The table before it has their values."""

    id: str
    choices: tuple[Choice, ...]
