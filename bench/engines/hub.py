"""Finds the weights of a model: on the hub at a pinned commit, in the local cache, or in a folder.

The hub is asked once, with ten seconds of patience, before the libraries start: they would retry each of a
dozen files for half a minute. Where it cannot be reached, a complete local copy still loads.

    found = locate(spec)                                # what to hand to from_pretrained
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, snapshot_download

from bench.engines.base import EngineSpec, WeightsSpec
from bench.engines.failures import engine_error, no_safetensors, unreachable
from bench.errors import EngineError

TIMEOUT_S = 10.0
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


@dataclass(frozen=True)
class Located:
    """Where `from_pretrained` shall look, and what identifies the weights found there.

    `revision` is the 40-digit commit for the hub, a `sha256:` fingerprint for a folder.
    """

    name: str
    revision: str
    arguments: dict[str, Any]


def locate(spec: EngineSpec) -> Located:
    """Find hub or path weights of `spec` and check that they are safetensors. Raises EngineError."""
    if spec.weights.kind == "hub":
        return _pinned(spec.weights)
    folder = Path(spec.weights.path or "")
    if not spec.weights.path or not folder.is_dir():
        raise EngineError(f"There is no folder {spec.weights.path!r}.", "Give one with --weights path:DIR.")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    _refuse_pickles((path.name for path in files), str(folder))
    return Located(str(folder), _fingerprint(folder, files), {"local_files_only": True})


def _pinned(weights: WeightsSpec) -> Located:
    if weights.hub_id is None:
        raise EngineError("Weights of kind hub need a model name, such as bigscience/bloom-560m.")
    try:
        info = HfApi().model_info(weights.hub_id, revision=weights.revision, timeout=TIMEOUT_S)
    except Exception as error:
        folder = _cached(weights) if unreachable(error) else None
        if folder is None:
            raise engine_error(error, "load", weights.hub_id, weights) from error
        return Located(str(folder), folder.name, {"local_files_only": True})
    _refuse_pickles((item.rfilename for item in info.siblings or ()), weights.hub_id)
    return Located(weights.hub_id, str(info.sha), {"revision": info.sha})


def _cached(weights: WeightsSpec) -> Path | None:
    """The snapshot of this revision in the local cache; its folder is named after the commit."""
    try:
        found = snapshot_download(str(weights.hub_id), revision=weights.revision, local_files_only=True)
    except Exception:  # noqa: BLE001 - whatever is wrong with the cache, the hub's own answer is the one to show
        return None
    folder = Path(found)
    _refuse_pickles((path.name for path in folder.rglob("*")), str(weights.hub_id))
    return folder


def _refuse_pickles(files: Iterable[str], where: str) -> None:
    names = list(files)
    if any(name.endswith(".safetensors") for name in names):
        return
    if any(name.endswith(_PICKLES) for name in names):
        raise no_safetensors(where)
    raise EngineError(
        f"{where} holds no weights (.safetensors).", "Check that it is a whole model.", missing=True
    )


def _fingerprint(folder: Path, files: list[Path]) -> str:
    """SHA-256 over names and sizes, and over the content of what is small; gigabytes are not read."""
    seen = []
    for path in files:
        small = path.stat().st_size < 1_000_000
        content = hashlib.sha256(path.read_bytes()).hexdigest() if small else None
        seen.append([path.relative_to(folder).as_posix(), path.stat().st_size, content])
    return "sha256:" + hashlib.sha256(json.dumps(seen).encode()).hexdigest()
