"""Formats of `bench export`: the one registry of them, for the verb and its help.

    content = FORMATS["csv"].of_records(found)                 # of any number of records
    content = FORMATS["junit"].of_comparison(result, entries)           # of a comparison of two sides

It is here because its formats are made in three rooms: rows and other programs' files in `exports`, the
summary of a job in `view`, packages in `fleet`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.compare.accepted import Accepted
from bench.compare.comparison import ComparisonResult
from bench.compare.record_set import StoredRecord
from bench.exports import foreign, junit, tables
from bench.fleet import package
from bench.view.ci_summary import github_summary


@dataclass(frozen=True)
class ExportFormat:
    """One format: of records, or of a comparison."""

    about: str
    of_records: Callable[[Sequence[StoredRecord]], bytes] | None = None
    of_comparison: Callable[[ComparisonResult, Sequence[Accepted]], bytes] | None = None


PACKAGE = ExportFormat("a zip of records, traces and logs with digests, for others to check", package.packed)
"""The format that can be signed."""
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
    "github-summary": ExportFormat("A against B as Markdown for a job summary", of_comparison=github_summary),
    "package": PACKAGE,
}
"""By name, in the order in which they are listed."""
