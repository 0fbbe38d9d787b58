"""The model hub: can it be reached, is there a token, and what is cached already.

The hub's own library is not imported: it takes a second and belongs to the engines. The variables and folders
are those it documents.
"""

from __future__ import annotations

import contextlib
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.catalog.models import Catalogue
from bench.runner.doctor.findings import Finding

HUB = "model hub"
TRUE = ("1", "ON", "YES", "TRUE")


def hf_home() -> Path:
    """Where the hub's library keeps its things."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or Path(base) / "huggingface").expanduser()


def cache() -> Path:
    """Where downloaded models go."""
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(named).expanduser() if named else hf_home() / "hub"


def offline() -> bool:
    """Whether the hub shall not be asked."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(name, "").upper() in TRUE for name in names)


class Reach:
    """One request to the hub in the background, given up after `timeout_s`.

    A thread of its own, because looking up a name knows no time limit; a daemon, so that it keeps nobody.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
        self._answer: str | None = f"no answer within {timeout_s:.0f} s"
        self._thread = threading.Thread(target=self._ask, name="joulebench-hub", daemon=True)
        if not offline():
            self._thread.start()

    def _ask(self) -> None:
        try:
            request = urllib.request.Request(self.endpoint, method="HEAD")
            with urllib.request.urlopen(request, timeout=self._timeout_s):
                self._answer = None
        except urllib.error.HTTPError as error:  # it answered, if only to say that a bare HEAD is not for it
            self._answer = None if error.code < 500 else f"HTTP status {error.code}"
        except Exception as error:  # noqa: BLE001 - in a thread of its own: any failure is an answer
            self._answer = " ".join(str(getattr(error, "reason", error)).split())[:120]

    def findings(self, cached: int) -> Iterator[Finding]:
        """Whether models can be downloaded; `cached` is how many are here already."""
        if offline():
            text = "Not asked, because HF_HUB_OFFLINE is set: only models that are cached can be loaded."
            yield Finding(HUB, "reachable", "info", text, "unset HF_HUB_OFFLINE TRANSFORMERS_OFFLINE")
            return
        self._thread.join(self._timeout_s)
        if self._answer is None:
            yield Finding(HUB, "reachable", "ok", f"{self.endpoint} answers.")
            return
        left = "models that are cached, or --weights random" if cached else "--weights random"
        text = f"{self.endpoint} cannot be reached ({self._answer}): what is left is {left}."
        yield Finding(HUB, "reachable", "warn", text, "python -m bench run paper --weights random")


def cached_models(catalogue: Catalogue) -> Sequence[str]:
    """The catalogue's models of which the cache holds a snapshot (whole or not); none where it is shut."""
    with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: this user has no home
        return _snapshots(cache(), catalogue)
    return ()


def _snapshots(folder: Path, catalogue: Catalogue) -> Sequence[str]:
    found = []
    for name, model in catalogue.models.items():
        if model.hub_id is None:
            continue
        snapshots = folder / f"models--{model.hub_id.replace('/', '--')}" / "snapshots"
        if any(snapshots.glob("*/*")):
            found.append(name)
    return found


def cached(names: Sequence[str], catalogue: Catalogue) -> Iterator[Finding]:
    """What need not be downloaded any more."""
    total = sum(model.hub_id is not None for model in catalogue.models.values())
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    text = (
        f"{len(names)} of {total} models are in the cache{f' (whole or in part): {shown}' if names else ''}."
    )
    yield Finding(HUB, "cached", "info", text)


def token(catalogue: Catalogue | None) -> Iterator[Finding]:
    """Whether a token is there. It is never read, let alone shown."""
    named = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    file = Path(os.environ.get("HF_TOKEN_PATH") or hf_home() / "token").expanduser()
    if named or (file.is_file() and file.stat().st_size > 0):
        yield Finding(HUB, "token", "ok", "Present: gated models load where their licence has been accepted.")
        return
    gated = sum(model.gated for model in catalogue.models.values()) if catalogue else 0
    which = f"the {gated} gated models of the catalogue" if gated else "gated models"
    yield Finding(HUB, "token", "info", f"None: {which} cannot be downloaded.", "hf auth login")
