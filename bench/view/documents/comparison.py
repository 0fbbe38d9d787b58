"""Document of `compare --json`: everything that the table shows, and the evidence for it."""

from __future__ import annotations

from typing import Any

from bench.compare.comparison import Comparison, ComparisonResult, MetricRow
from bench.compare.gate import Judged
from bench.compare.metrics import MetricValues
from bench.compare.record_set import StoredRecord
from bench.core.measurement import Measurement
from bench.view.documents.spans import span_json

SCHEMA = "joulebench/compare/1"
"""History: 1, the first."""


def document(result: ComparisonResult, judged: Judged) -> dict[str, Any]:
    """The document of a comparison. What is not known is `null`; ratios are B over A."""
    return {
        "schema": SCHEMA,
        "status": judged.status,
        "a": result.a.label,
        "b": result.b.label,
        "vary": list(result.vary),
        "comparisons": [_comparison(comparison) for comparison in result.comparisons],
        "only_a": [_found(stored) for stored in result.only_a],
        "only_b": [_found(stored) for stored in result.only_b],
        "judgements": [{"outcome": each.outcome, "sentence": each.sentence} for each in judged.judgements],
        "notes": list(result.notes),
        "problems": list(result.problems),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "label": comparison.label,
        "verdict": comparison.verdict,
        "a": _found(comparison.a),
        "b": _found(comparison.b),
        "differences": [{"key": each.key, "a": each.a, "b": each.b} for each in comparison.differences],
        "reasons": list(comparison.reasons),
        "notes": list(comparison.notes),
        "rows": [_row(row, comparison.a.record.unit) for row in comparison.rows],
    }


def _found(stored: StoredRecord[Measurement]) -> dict[str, Any]:
    record = stored.record
    return {
        "where": stored.where,
        "digest": stored.digest,
        "label": record.label,
        "hash": record.work_key,
        "created": record.created,
        "machine": record.machine.name,
        "status": record.status,
    }


def _row(row: MetricRow, unit: str) -> dict[str, Any]:
    ratio = row.ratio
    return {
        "metric": row.metric.name,
        "title": row.metric.title(unit),
        "unit": row.metric.unit,
        "better": row.metric.better,
        "a": _reading(row.a),
        "b": _reading(row.b),
        "ratio": None
        if ratio is None
        else span_json(ratio)
        | {"p_alone": ratio.p, "n": list(ratio.n), "method": ratio.method, "unsteady": ratio.unsteady},
        "p": row.p,
        "floor": row.floor.value,
        "floor_source": row.floor.source,
        "verdict": row.verdict,
    }


def _reading(reading: MetricValues) -> dict[str, Any]:
    estimate = reading.estimate
    return {
        "median": reading.median,
        "mean": estimate.value if estimate else None,
        "low": estimate.low if estimate else None,
        "high": estimate.high if estimate else None,
        "n": estimate.n if estimate else 0,
        "reason": reading.reason,
    }
