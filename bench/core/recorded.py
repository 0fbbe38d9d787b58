"""Parts of a record about its case, of the engine that ran it, and of what stopped it.

    record.case.weights.kind              # "hub"
    record.case.as_mapping()["hash"]      # with every key of the file, also those that code does not read

Old files lack some keys and have others: what is optional here may be absent there.
"""

from __future__ import annotations

from typing import Any

from pydantic import StrictInt, StrictStr, ValidationError

from bench.core import modalities
from bench.core.model import OpenModel
from bench.core.weights import Weights
from bench.core.workload import Workload


class RecordedCase(OpenModel):
    """The measured case. `hash` is its identity, over everything that changes the work."""

    model: StrictStr
    identity_version: int | None = None
    engine: StrictStr
    unit: StrictStr
    words_per_unit: int | float | None = None
    tokens_per_word: int | float | None = None
    weights: Weights
    dtype: StrictStr
    batch: StrictInt
    seed: StrictInt
    attention: str | None = None
    compile: bool | None = None
    prompts: dict[str, Any] | None = None
    options: dict[str, Any]
    compile_mode: str | None = None
    sdpa_kernel: str | None = None
    quantization: str | None = None
    """`null` for weights in the case's dtype."""
    parts: dict[str, Any] | None = None
    """Of a case of several models: model, weights and options of each part, by its name; else `null`."""
    workload: Workload | None = None
    """`null` for batch after batch of a worker process."""
    replicas: int | None = None
    """Copies of the model at work at once, each on cards of its own; `null` for one."""
    server: dict[str, Any] | None = None
    """Of a server that was started for it: `command_sha256`, the digest of its command; else `null`."""
    toy: bool | None = None
    hash: StrictStr

    @property
    def per_token(self) -> bool:
        """Whether all its joules are of its tokens; so it is for a modality that is not known here."""
        try:
            return modalities.get(self.engine).per_token
        except KeyError:
            return True

    @property
    def size(self) -> str:
        """The size of an item in the words of its modality; empty where the options do not give it."""
        try:
            options = modalities.get(self.engine).options
            known = {key: value for key, value in self.options.items() if key in options.model_fields}
            return options.model_validate(known).size
        except (KeyError, ValidationError):
            return ""


class RequestedCase(OpenModel):
    """The case as first asked for, and why a smaller batch had to be taken."""

    batch: StrictInt
    reason: StrictStr


class RecordedEngine(OpenModel):
    """The loaded model, as read back from it."""

    parameters: dict[str, Any]
    """Count by component."""
    dtypes: dict[str, Any] | None = None
    used: dict[str, Any]
    """Attention kernel, cache, scheduler and its settings, in the engine's own words."""
    revision: str | None = None
    device_uuids: list[str] | None = None
    memory_bytes: int | float | None = None
    load_s: float | None = None
    libraries: dict[str, Any] | None = None


class Failure(OpenModel):
    """The fault that stopped a failed case, and its stage."""

    stage: StrictStr
    message: StrictStr
    remedy: str | None = None
    out_of_memory: bool | None = None
    missing: bool | None = None
    last_words: str | None = None
