"""A comparison as plain values for `--json`: everything the table shows, and the evidence for it."""

from __future__ import annotations

from typing import Any

from bench.compare.comparison import Comparison, ComparisonResult, MetricRow
from bench.compare.gate import Judged
from bench.compare.metrics import MetricValues
from bench.compare.record_set import StoredRecord
from bench.core.measurement import Measurement

SCHEMA = "joulebench/compare/1"
"""History: 1, the first."""


def of_comparison(result: ComparisonResult, judged: Judged) -> dict[str, Any]:
    """The document of a comparison. What is not known is `null`; ratios are B over A."""
    return {
        "schema": SCHEMA,
        "status": judged.status,
        "a": result.a.label,
        "b": result.b.label,
        "vary": list(result.vary),
        "comparisons": [_comparison(comparison) for comparison in result.comparisons],
        "only_a": [_found(found) for found in result.only_a],
        "only_b": [_found(found) for found in result.only_b],
        "judgements": [{"outcome": each.outcome, "sentence": each.sentence} for each in judged.judgements],
        "notes": list(result.notes),
        "problems": list(result.problems),
    }


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "label": found.label,
        "verdict": found.verdict,
        "a": _found(found.a),
        "b": _found(found.b),
        "differences": [{"key": each.key, "a": each.a, "b": each.b} for each in found.differences],
        "reasons": list(found.reasons),
        "notes": list(found.notes),
        "rows": [_row(row, found.a.record.unit) for row in found.rows],
    }


def _found(found: StoredRecord[Measurement]) -> dict[str, Any]:
    record = found.record
    return {
        "where": found.where,
        "digest": found.digest,
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
        else {"value": ratio.value, "low": ratio.low, "high": ratio.high, "p_alone": ratio.p}
        | {"n": list(ratio.n), "method": ratio.method, "unsteady": ratio.unsteady},
        "p": row.p,
        "floor": row.floor.value,
        "floor_source": row.floor.source,
        "verdict": row.verdict,
    }


def _reading(reading: MetricValues) -> dict[str, Any]:
    found = reading.estimate
    return {
        "median": reading.median,
        "mean": found.value if found else None,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "n": found.n if found else 0,
        "reason": reading.reason,
    }
