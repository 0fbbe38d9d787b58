"""Finds the weights of a model: on the hub at a pinned commit, in the local cache, or in a folder.

The hub is asked with ten seconds of patience. Where it refuses or gives no answer, a complete local copy of
the pinned commit still loads, and the log has a warning: the content of a commit needs no answer.

    found = locate(spec)                                # what to hand to from_pretrained
    with downloading():
        AutoModel.from_pretrained(found.name, **found.arguments)
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import HFValidationError

from bench.core.weights import Weights
from bench.engines.base import EngineSpec
from bench.engines.weights.downloads import announced_files, check_downloads
from bench.engines.weights.hub_request import ask
from bench.engines.weights.hub_use import Patience, bounded
from bench.engines.weights.weight_files import WeightFilesKind, fingerprint, incomplete, refuse_pickles
from bench.errors import EngineError

TIMEOUT_S = 10.0
DOWNLOAD = Patience(busy_s=330.0, trouble_s=60.0, slow_s=60.0)
"""Of one model's download. The hub's own limits of requests renew every five minutes."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Located:
    """Location of the weights for `from_pretrained`, and their identity.

    `revision` is the 40-digit commit for the hub, a `sha256:` fingerprint for a folder.
    """

    name: str
    revision: str
    arguments: dict[str, Any]


def locate(spec: EngineSpec, kind: WeightFilesKind = "model") -> Located:
    """Find hub or path weights of `spec` and check that they are whole. Raises EngineError."""
    if spec.weights.kind == "hub":
        return _pinned(spec.weights, kind, own_code=spec.trust_remote_code)
    folder = Path(spec.weights.path or "")
    if not spec.weights.path or not folder.is_dir():
        raise EngineError(
            f"Folder {spec.weights.path!r} does not exist.", "Give one with --weights path:DIR."
        )
    problem = incomplete(folder, kind, own_code=spec.trust_remote_code)
    if problem is not None:
        raise problem
    return Located(str(folder), fingerprint(folder), {"local_files_only": True})


def locate_component(spec: EngineSpec, name: str, kind: WeightFilesKind = "network") -> Located:
    """Find a network of `spec` that has a repository, or in a local copy a folder, of its own.

    The folder inside a repository is in `arguments` as `subfolder`. Raises EngineError.
    """
    if spec.weights.kind == "path":
        own = Weights(kind="path", path=str(Path(spec.weights.path or "", name)))
        return locate(replace(spec, weights=own), kind)
    part = spec.weights.components.get(name)
    if part is None:
        raise EngineError(
            f"{spec.model} has no {name}, which this model needs.",
            f"Name its repository under components.{name} in models.yaml.",
        )
    own = Weights(kind="hub", hub_id=part.hub_id, revision=part.revision)
    found = _pinned(own, kind, own_code=False, folder=part.folder or "")
    inside = {} if part.folder is None else {"subfolder": part.folder}
    return replace(found, arguments=found.arguments | inside)


def has_file(weights: Weights, name: str) -> bool:
    """Whether a model has a file of this name: in the local cache, else on the hub. Raises EngineError."""
    folder = _cached(weights)
    if folder is not None:
        return (folder / name).is_file()
    return any(item.rfilename == name for item in ask(weights, TIMEOUT_S, patient=True).siblings or ())


@contextmanager
def downloading() -> Iterator[None]:
    """The context for `from_pretrained`: what it waits for is bounded, and what was downloaded is checked.

    Raises EngineError for a file whose content has another SHA-256 than the hub announced, and as `bounded`.
    """
    before = announced_files(Path(constants.HF_HUB_CACHE))
    try:
        with bounded(DOWNLOAD):
            yield
    finally:
        check_downloads(announced_files(Path(constants.HF_HUB_CACHE)) - before)


def _pinned(weights: Weights, kind: WeightFilesKind, *, own_code: bool, folder: str = "") -> Located:
    if weights.hub_id is None:
        raise EngineError("Weights of kind hub need a model name, such as bigscience/bloom-560m.")
    snapshot = _cached(weights)
    problem = (
        None
        if snapshot is None
        else incomplete(
            snapshot / folder, kind, f"{weights.hub_id} in the cache ({snapshot})", own_code=own_code
        )
    )
    whole = snapshot is not None and problem is None
    try:
        info = ask(weights, TIMEOUT_S, patient=not whole)
    except EngineError as error:
        if snapshot is not None and problem is None:
            if not constants.is_offline_mode():
                _log.warning("%s Its complete local copy is used.", error.message)
            return Located(str(snapshot), snapshot.name, {"local_files_only": True})
        if problem is not None and constants.is_offline_mode():
            raise problem from error
        raise
    refuse_pickles((item.rfilename for item in info.siblings or ()), weights.hub_id)
    return Located(weights.hub_id, str(info.sha), {"revision": info.sha})


def _cached(weights: Weights) -> Path | None:
    """The snapshot of this revision in the local cache; its folder is named after the commit."""
    try:
        return Path(snapshot_download(str(weights.hub_id), revision=weights.revision, local_files_only=True))
    except (HFValidationError, OSError, ValueError):  # not there, or known to be incomplete: an OSError too
        return None
