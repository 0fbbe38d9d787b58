"""Document of `doctor --json`: every finding, and the kind of figure that each scope can have."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.doctor.examine import DoctorReport

SCHEMA = "joulebench/doctor/1"


def document(report: DoctorReport) -> dict[str, Any]:
    """The report, and the exit status that follows from it."""
    return {
        "schema": SCHEMA,
        "exit_status": report.exit_status,
        "scopes": report.scopes,
        "findings": [asdict(finding) for finding in report.findings],
    }
