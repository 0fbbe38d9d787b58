"""Outcome of a scenario under each way to make the one choice that decides it: its first line.

found = decided(find("critics"), draws=100_000, seed=0)
found.person_ahead          # {"without its making": 0.74, ...}: share of draws in which the person emits less
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.draft import ScenarioDraft, part_of
from bench.footprint.scenarios.scenario import ComparedSide
from bench.footprint.scenarios.simulation import SimulationReport

EVEN = 0.5
"""Share of draws from which the person alone is likelier to emit less."""


@dataclass(frozen=True)
class Decided:
    """Deciding input, and the share of draws in which the person alone emits less, by choice."""

    what: str
    side: ComparedSide
    person_ahead: Mapping[str, float]

    @property
    def turns(self) -> bool:
        """Whether the likelier outcome differs between choices."""
        return min(self.person_ahead.values()) < EVEN <= max(self.person_ahead.values())


def decided(draft: ScenarioDraft, draws: int, seed: int) -> Decided | None:
    """Outcome by choice; `None` if the scenario names no choice, or the user has made it."""
    deciding = draft.about.decides
    if deciding is None or _chosen(draft, deciding.choices):
        return None
    reports = {
        name: SimulationReport.of(build(_with(draft, sets)), draws, seed)
        for name, sets in deciding.choices.items()
    }
    side = build(draft).sides[-1]
    return Decided(deciding.what, side, {name: each.person_ahead[side] for name, each in reports.items()})


def _with(draft: ScenarioDraft, changes: tuple[str, ...]) -> ScenarioDraft:
    for change in changes:
        draft = draft.changed(change)
    return draft


def _chosen(draft: ScenarioDraft, choices: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the part with the choice was removed, or changed on the command line."""
    parts = {part_of(change.partition("=")[0]) for changes in choices.values() for change in changes}
    stated = [key for key in draft.entries if part_of(key) in parts]
    return not stated or any(draft.places[key].startswith("--") for key in stated)
