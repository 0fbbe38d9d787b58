"""The model hub: can it be reached, is there a token, and what is cached already.

The hub is asked by a probe, with the code of a run. Its library is not imported here: it takes a second and
belongs to the engines. The variables and folders are those it documents.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.catalog.models import Catalogue
from bench.doctor.findings import Finding
from bench.doctor.probes import ProbeAnswer

HUB = "model hub"
TRUE = ("1", "ON", "YES", "TRUE")


def hf_home() -> Path:
    """Folder of the hub's library."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or Path(base) / "huggingface").expanduser()


def cache() -> Path:
    """Folder of downloaded models."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(named).expanduser() if named else hf_home() / "hub"


def offline() -> bool:
    """Whether the hub shall not be asked."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(name, "").upper() in TRUE for name in names)


def question(catalogue: Catalogue | None) -> tuple[str, str] | None:
    """The model and revision to ask the hub for: the first of the catalogue that is not gated."""
    for model in catalogue.models.values() if catalogue else ():
        if model.hub_id is not None and model.revision is not None and not model.gated:
            return model.hub_id, model.revision
    return None


def reachable(answer: ProbeAnswer | None, cached: int) -> Iterator[Finding]:
    """Whether models can be downloaded; `cached` is how many are here already.

    `answer` is that of the probe `HUB_QUESTION`, which asks as a run asks; `None` if it was not asked.
    """
    if offline():
        text = "Not asked, because HF_HUB_OFFLINE is set: only models that are cached can be loaded."
        yield Finding(HUB, "reachable", "info", text, "unset HF_HUB_OFFLINE TRANSFORMERS_OFFLINE")
        return
    if answer is None:
        yield Finding(HUB, "reachable", "info", "Not asked: the catalogue names no model there.")
        return
    left = "models that are cached, or --weights random" if cached else "--weights random"
    command = "python -m bench run paper --weights random"
    if answer.late:
        reason = f"It cannot be reached: no answer within {answer.limit_s:.0f} s"
    elif answer.value is None:
        reason = f"It cannot be asked: {answer.error}"
    elif answer.value["problem"] is None:
        yield Finding(HUB, "reachable", "ok", f"{answer.value['endpoint']} answers.")
        return
    else:
        reason = str(answer.value["problem"]).rstrip(".")
    yield Finding(HUB, "reachable", "warn", f"{reason}. What is left is {left}.", command)


def no_home(subject: str, name: str) -> Finding:
    """The finding for a user without a home folder, as in containers: nothing can be kept there."""
    text = "This user has no home folder, and neither HOME nor HF_HOME is set: models cannot be kept."
    return Finding(subject, name, "warn", text, "export HF_HOME=/a/folder/huggingface")


def cached_models(catalogue: Catalogue) -> Sequence[str]:
    """The catalogue's models with a snapshot in the cache (whole or not); none for an unreadable cache."""
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: this user has no home
        return _snapshots(cache(), catalogue)
    return ()


def _snapshots(folder: Path, catalogue: Catalogue) -> Sequence[str]:
    models = catalogue.models.items()
    return [name for name, model in models if model.hub_id and _has_snapshot(folder, model.hub_id)]


def _has_snapshot(folder: Path, hub_id: str) -> bool:
    snapshots = folder / f"models--{hub_id.replace('/', '--')}" / "snapshots"
    return any(snapshots.glob("*/*"))


def in_cache(hub_id: str) -> bool:
    """Whether a model has a snapshot in the cache, whole or in part; False for an unreadable cache."""
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: this user has no home
        return _has_snapshot(cache(), hub_id)
    return False


def cached(names: Sequence[str], catalogue: Catalogue) -> Iterator[Finding]:
    """Models that need not be downloaded any more."""
    total = sum(model.hub_id is not None for model in catalogue.models.values())
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    text = (
        f"{len(names)} of {total} models are in the cache{f' (whole or in part): {shown}' if names else ''}."
    )
    yield Finding(HUB, "cached", "info", text)


def token(catalogue: Catalogue | None) -> Iterator[Finding]:
    """Whether a token is there. It is never read, let alone shown."""
    named = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    try:
        file = Path(os.environ.get("HF_TOKEN_PATH") or hf_home() / "token").expanduser()
    except RuntimeError:
        yield no_home(HUB, "token")
        return
    if named or (file.is_file() and file.stat().st_size > 0):
        yield Finding(HUB, "token", "ok", "Present: gated models load where their licence has been accepted.")
        return
    gated = sum(model.gated for model in catalogue.models.values()) if catalogue else 0
    which = f"the {gated} gated models of the catalogue" if gated else "gated models"
    yield Finding(HUB, "token", "info", f"None: {which} cannot be downloaded.", "hf auth login")
