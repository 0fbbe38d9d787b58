"""Document of `roofline show --json`: phases of each record, and variants beside the plain way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.compare.record_set import StoredRecord
from bench.compare.variant_groups import VariantGroup, named
from bench.roofline.utilisation import PhaseUtilisation

SCHEMA = "joulebench/limits/1"
"""History: 1, the first. `limits` is what the verb was called then; a new name would be a new schema."""


def document(
    found: Sequence[StoredRecord],
    rows: Mapping[str, list[PhaseUtilisation]],
    families: Sequence[VariantGroup],
) -> dict[str, Any]:
    """An object a record with its phases, and one a variant with its ratios."""
    return {
        "schema": SCHEMA,
        "records": [
            {
                "label": each.record.label,
                "where": each.where,
                "hash": each.record.case.hash,
                "phases": [
                    asdict(row)
                    | {
                        "binds": row.binds,
                        "joules_per_gb": row.joules_per_gb,
                        "joules_per_tflop": row.joules_per_tflop,
                    }
                    for row in rows[each.digest]
                ],
            }
            for each in found
        ],
        "variants": [
            {
                "plain": comparison.a.where,
                "variant": variant.where,
                "ways": named(variant.record),
                "verdict": comparison.verdict,
                "notes": comparison.notes,
                "ratios": {
                    row.metric.name: asdict(row.ratio) for row in comparison.rows if row.ratio is not None
                },
            }
            for family in families
            for variant, comparison in family.variants
        ],
    }
