"""Scenario files with plain numbers, for tests of what is done with them."""

from __future__ import annotations

from pathlib import Path

from bench.footprint.scenarios.build import build
from bench.footprint.scenarios.draft import ScenarioDraft
from bench.footprint.scenarios.files import load
from bench.footprint.scenarios.scenario import Scenario
from tests.support.elsewhere import SCENARIO

TRAINING = """\
training:
  total: {value: 552, unit: t CO2e, source: a table}
  per_day: {value: 1.0e7, unit: queries/day, source: a table}
  days: {value: 30, unit: days, source: a table}
  queries: {value: 1, unit: queries/page, source: a table}
"""

EMBODIED = """\
embodied:
  made: {value: 164, unit: kg CO2e, source: a table}
  lifetime: {value: 4, unit: yr, source: a table}
  utilisation: {value: 0.5, unit: '1', source: a table}
  power: {value: 500, unit: W, source: a table}
"""

EDITING = """\
editing:
  edit: {value: 10, unit: min/page, source: a table}
  review: {value: 4, unit: min/page, source: a table}
  prompting: {value: 1.5, unit: min/prompt, source: a table}
"""

BATCH = """\
batch:
  measured: {value: 1, unit: answers, source: a table}
  served: {value: 8, unit: answers, source: a table}
  shared: {value: 0.8, unit: '1', source: a table}
"""

IDLE = """\
idle:
  share: {value: 0.82, unit: '1', source: a table}
"""

COMPUTER = """\
computer:
  made: {value: 202, unit: kg CO2e, source: a table}
  lifetime: {value: 4, unit: yr, source: a table}
  hours: {value: 2080, unit: h/yr, source: a table}
"""

UPBRINGING = """\
upbringing:
  energy: {value: 250000, unit: kWh, source: a table}
  grid: {value: 400, unit: g CO2e/kWh, source: a table}
  hours: {value: 80000, unit: h, source: a table}
"""

WHOLE = SCENARIO + TRAINING + EMBODIED + EDITING + BATCH + IDLE


def draft(folder: Path, text: str = SCENARIO) -> ScenarioDraft:
    """What a file with this text states."""
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def scenario(folder: Path, text: str = SCENARIO, *changes: str) -> Scenario:
    """The scenario of a file with this text, changed as with --set."""
    found = draft(folder, text)
    for change in changes:
        found = found.changed(change)
    return build(found)
