"""Source of a model's weights: one type from the catalogue to the engine and the record.

Weights(kind="random", architecture="tiny-bloom")
weights.identity()                     # what enters a case's hash: everything but `path`
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bench.core.model import OpenModel

WeightsKind = Literal["hub", "path", "random"]
"""A published model at a pinned revision, files on this machine, or random numbers in a true architecture."""


class Weights(OpenModel, frozen=True):
    """The weights of a case.

    `hub` needs `hub_id` and `revision` (a 40-digit commit, or `main` until the runner has resolved it),
    `path` needs `path`, `random` needs `architecture` (the name of a file in `bench/data/architectures`).
    `variant` is the hub's name for files of another precision (`bf16`).
    """

    kind: WeightsKind
    hub_id: str | None = None
    revision: str | None = None
    variant: str | None = None
    architecture: str | None = None
    fingerprint: str | None = None
    """Of local files, or of a random model's architecture."""
    path: str | None = Field(None, exclude=True)
    """Path of the files on this machine: never stored, and not in the identity."""

    def identity(self) -> dict[str, Any]:
        """Every key that a case's hash is taken over, also those that are `None`."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "path"}

    def at_revision(self, revision: str) -> Weights:
        """The same weights at the commit that was really loaded."""
        return self.model_copy(update={"revision": revision})

    def with_fingerprint(self, fingerprint: str | None) -> Weights:
        """The same weights, completed by what is found at their path or follows from their architecture."""
        return self.model_copy(update={"fingerprint": fingerprint})
