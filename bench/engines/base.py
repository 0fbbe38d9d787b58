"""Interface of every engine: load a model, make batches of output, report what was really used.

An engine runs in a child process of its own. It never touches a meter, never prints and never writes a
file outside `save`. It does not import catalogues or records: the worker hands it an `EngineSpec` made of
plain values and gets plain values back, so that both sides can travel through a pipe.

The measured window is one call of `generate`: from prompts on the host to finished output on the host,
synchronised. Counting words, encoding a PNG and looking for NaN pictures belong to `inspect`, outside it.

    engine = create(spec)
    ready = engine.load()
    made = engine.generate(["Write a letter ..."] * spec.batch, seed=0)
    found = engine.inspect(made)
    engine.unload()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from bench.core.modality import Dtype, Options
from bench.core.weights import Weights


@dataclass(frozen=True)
class ServerAccess:
    """Where and how a part is asked that a server has; `key` is the name of a variable, never a key."""

    url: str
    name: str
    api: Literal["chat", "completions"] = "chat"
    key: str | None = None
    extra: Mapping[str, Any] | None = None
    answer_s: float = 120.0


@dataclass(frozen=True)
class EngineSpec:
    """One model, ready to be loaded: everything an engine needs and nothing else.

    `devices` are torch device names as this process sees them (`cuda:0`, `cpu`); more than one means the
    model is spread over them.
    """

    model: str
    weights: Weights
    options: Options
    dtype: Dtype
    batch: int
    devices: tuple[str, ...] = ("cpu",)
    seed: int = 0
    trust_remote_code: bool = False
    """Whether code that came with the weights may run."""
    parts: Mapping[str, EngineSpec] = field(default_factory=dict)
    """Models that the case is made with, by the names of their parts."""
    server: ServerAccess | None = None
    """Of a part that a server has: it is asked, and nothing is loaded here."""


@dataclass(frozen=True)
class LoadedModel:
    """The loaded model, read back from it and not from the request.

    `parameters` maps component to count (`{"model": 559214592}` or `{"unet": ..., "vae": ...}`), `dtypes`
    component to dtype, `used` has attention kernel, cache, scheduler class and its settings, and
    `revision` the commit or fingerprint of the weights. `device_uuids` are `GPU-...` names, empty on a CPU.
    """

    parameters: dict[str, int]
    dtypes: dict[str, str]
    used: dict[str, Any]
    revision: str | None
    device_uuids: tuple[str, ...]
    memory_bytes: int | None
    load_s: float
    libraries: dict[str, str] = field(default_factory=dict)
    longest_prompt: int = 0
    """Index, among the prompts that were loaded, of the one with the most tokens."""
    part_revisions: dict[str, str | None] = field(default_factory=dict)
    """Of a case of several models: the revision of each part."""


@dataclass(frozen=True)
class PhaseEdges:
    """A named stretch inside one `generate` (`prefill`, `decode`, `text_encoder`, `denoise`, `vae`).

    Times are `time.monotonic_ns()` in this process, which every process of the machine shares.
    """

    name: str
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class GeneratedBatch:
    """One finished batch: its synchronised edges, its phases, and the raw output for `inspect`."""

    start_ns: int
    end_ns: int
    items: int
    phases: tuple[PhaseEdges, ...]
    payload: Any
    """On the host: a `text.Pages` (token ids as a list of lists) or an `image.Pictures` (uint8 pixels of
    shape (items, height, width, 3)), with the facts that `inspect` needs beside them."""


@dataclass(frozen=True)
class OutputCheck:
    """Content of a batch, counted outside the window.

    `words` is `None` where it cannot be counted (random weights write no words); `tokens` are the new
    tokens of each item, `reasoning_tokens` those of them that came before its text (`None` of a model that
    does not reason), `seconds` the length of its audio or video, `heard_seconds` that of the speech that
    went into it. `problems` are sentences about wrong
    content: NaN pixels, an empty generation, a length that is not the one asked for.
    """

    tokens: tuple[int, ...] | None = None
    words: tuple[int, ...] | None = None
    prompt_tokens: tuple[int, ...] | None = None
    problems: tuple[str, ...] = ()
    seconds: tuple[float, ...] | None = None
    heard_seconds: tuple[float, ...] | None = None
    reasoning_tokens: tuple[int, ...] | None = None
    counts: Mapping[str, float] = field(default_factory=dict)
    """Counts of the modality's own, by name: they are summed over the batches of a block."""


class Engine(Protocol):
    """The calls of a model's life in their order, and `save` for people who want to look."""

    def load(self) -> LoadedModel:
        """Bring the model onto its device. Raises EngineError(stage="load")."""

    def longest_prompt(self, prompts: Sequence[str]) -> int:
        """Index of the prompt with the most tokens. Raises EngineError(stage="load")."""

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """Make one item a prompt; returns when the device is done. Raises EngineError(stage="generate")."""

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Count and check what was made. Raises EngineError(stage="finish")."""

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each item under `folder` as `<stem>-<i>.txt`, `.png` or the like, for a person to look at."""

    def unload(self) -> None:
        """Free the device."""
