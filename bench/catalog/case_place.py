"""Machines on which the cases of a suite are measured, by their cards and their labels in a cluster.

place: {gpu: "h100:8", labels: {rack: a}}      # at least eight cards of that model, on a node with the label

A place changes no work, so it is in no case's hash.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bench.core.model import Strict

GPUS = r"[^:,]*[^:,\s][^:,]*(:[1-9]\d{0,3})?"
"""`MODEL` or `MODEL:COUNT`."""


class CasePlace(Strict):
    """What a machine must have to be given a case. Without both every machine will do."""

    gpu: Annotated[str, Field(pattern=f"^{GPUS}$")] | None = None
    """A model, and at least how many cards of it; one without a number."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of a node, as `ray start --labels` gives them. A machine that is in no cluster has none."""
