"""A catalogue with a suite whose cases are for machines of a kind.

catalogue(tmp_path)       # models.yaml with the suite `racks`
"""

from __future__ import annotations

from pathlib import Path

from tests.support.main_job.running import CATALOGUE

SUITE = """
  racks:
    doc: Cases for machines of a kind.
    weights: random
    place: {gpu: "h100:2"}
    cases:
      - {model: tiny-bloom}
      - {model: tiny-bloom, batch: 2, place: {gpu: l4}}
      - {model: tiny-bloom, batch: 3, place: {labels: {rack: a}}}
"""


def catalogue(folder: Path) -> Path:
    """The catalogue of small models, and that suite."""
    path = folder / "models.yaml"
    path.write_text(CATALOGUE.read_text(encoding="utf-8") + SUITE, encoding="utf-8")
    return path
