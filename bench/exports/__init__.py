"""Records and comparisons in other programs' formats: one registry, used by `bench export` and its help.

    content = FORMATS["csv"].of_records(found)                 # of any number of records
    content = FORMATS["junit"].of_comparison(result, entries)           # of a comparison of two sides

Every format is of the same flat rows (`rows.flat`), gross joules per unit at the headline's scope. What a
format cannot express is left out, never filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.compare.accepted import Accepted
from bench.compare.comparison import ComparisonResult
from bench.compare.record_set import StoredRecord
from bench.exports import foreign, junit, tables


@dataclass(frozen=True)
class ExportFormat:
    """One format: of records, or of a comparison."""

    about: str
    of_records: Callable[[Sequence[StoredRecord]], bytes] | None = None
    of_comparison: Callable[[ComparisonResult, Sequence[Accepted]], bytes] | None = None


FORMATS = {
    "csv": ExportFormat("one row a record", tables.as_csv),
    "jsonl": ExportFormat("one JSON object a record and line", tables.as_json_lines),
    "parquet": ExportFormat("one row a record (needs pyarrow)", tables.as_parquet),
    "openmetrics": ExportFormat(
        "gauges for Prometheus, with the time of the measurement", foreign.openmetrics
    ),
    "github-benchmark": ExportFormat(
        "github-action-benchmark, smaller is better: J, s", foreign.smaller_is_better
    ),
    "github-benchmark-bigger": ExportFormat(
        "github-action-benchmark, bigger is better: units a second", foreign.bigger_is_better
    ),
    "model-card": ExportFormat(
        "co2_eq_emissions of one record for a Hugging Face model card", foreign.model_card
    ),
    "ai-energy-score": ExportFormat(
        "Wh per 1,000 items as AI Energy Score counts, without stars", foreign.wh_per_1000
    ),
    "codecarbon": ExportFormat(
        "emissions.csv as CodeCarbon writes it, a line a record", foreign.emissions_csv
    ),
    "junit": ExportFormat(
        "A against B: failure = worse and not accepted, skipped = unclear", of_comparison=junit.junit
    ),
}
"""By name, in the order in which they are listed."""
