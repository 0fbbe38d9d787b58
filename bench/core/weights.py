"""Source of a model's weights: one type from the catalogue to the engine and the record.

Weights(kind="random", architecture="tiny-bloom")
weights.identity()                     # what enters a case's hash: everything but `path`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from bench.core.model import OpenModel, SchemaModel

WeightsKind = Literal["hub", "path", "random"]
"""A published model at a pinned revision, files on this machine, or random numbers in a true architecture."""


Commit = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class WeightsComponent(SchemaModel, frozen=True):
    """A network of a model in a repository of its own: an adapter, an image encoder, a vocoder.

    `folder` is the one in the repository that has it, `file` the file of an adapter. In a local copy
    (`--weights path:DIR`) its folder is named as the component.
    """

    hub_id: str
    revision: Commit
    folder: str | None = None
    file: str | None = None


class Weights(OpenModel, frozen=True):
    """The weights of a case.

    `hub` needs `hub_id` and `revision` (a 40-digit commit, or `main` until the worker has resolved it),
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
    components: Mapping[str, WeightsComponent] = Field(default_factory=dict)
    """Networks of a model from the hub that other repositories have, by name."""

    def identity(self) -> dict[str, Any]:
        """Every key that a case's hash is taken over, also those that are `None`; components if any."""
        found = {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name not in ("path", "components")
        }
        if self.components:
            found["components"] = {name: part.model_dump() for name, part in self.components.items()}
        return found

    def at_revision(self, revision: str) -> Weights:
        """The same weights at the commit that was really loaded."""
        return self.model_copy(update={"revision": revision})

    def with_fingerprint(self, fingerprint: str | None) -> Weights:
        """The same weights, completed by what is found at their path or follows from their architecture."""
        return self.model_copy(update={"fingerprint": fingerprint})
