"""Tells the stretches inside one batch apart: prefill and decode; text encoder, denoising and VAE.

A stamp taken while a GPU still works is a stamp of the launch. So each edge of a phase first waits for the
devices; a wait drains the queue and costs some 20 to 50 µs, so a phase has one at each edge and not one
inside.

    clock = PhaseClock(("cuda:0",))
    clock.begin("denoise"); ...; clock.finish("denoise")
    clock.phases()
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers import LogitsProcessor

from bench.engines.base import PhaseEdges
from bench.engines.device.placed import synchronise
from bench.errors import EngineError


class PhaseClock:
    """Collects the synchronised edges of named phases, in the order in which they began."""

    def __init__(self, devices: Sequence[str]) -> None:
        self._devices = devices
        self._edges: dict[str, list[int]] = {}

    def now(self) -> int:
        """`time.monotonic_ns()` once the devices are done."""
        synchronise(self._devices)
        return time.monotonic_ns()

    def clear(self) -> None:
        """Forget the last batch."""
        self._edges.clear()

    def begun(self, name: str) -> bool:
        """Whether this phase has begun in this batch."""
        return name in self._edges

    def begin(self, name: str, at_ns: int | None = None) -> None:
        """Stamp the start of a phase; only the first call of a batch counts."""
        if name not in self._edges:
            stamp = self.now() if at_ns is None else at_ns
            self._edges[name] = [stamp, stamp]

    def finish(self, name: str, at_ns: int | None = None) -> None:
        """Stamp the end of a phase; the last call of a batch counts."""
        self._edges[name][1] = self.now() if at_ns is None else at_ns

    def phases(self) -> tuple[PhaseEdges, ...]:
        """The phases of this batch."""
        return tuple(PhaseEdges(name, start, end) for name, (start, end) in self._edges.items())


class Stages:
    """Phases of a batch, one after the other: each lasts until the next one's first call.

    The devices are waited for once, where a phase begins, and not in the calls that follow.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self.clock = PhaseClock(devices)
        self.calls: Counter[str] = Counter()
        self._current: str | None = None

    def watch(self, owner: Any, name: str, method: str = "forward") -> None:
        """Let the first call of this method in a batch begin the phase `name`."""
        if method == "forward":
            owner.register_forward_pre_hook(lambda *_: self.enter(name))
            return
        original = getattr(owner, method)

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.enter(name)
            return original(*args, **kwargs)

        setattr(owner, method, watched)

    def enter(self, name: str) -> None:
        """End the phase that lasts and begin this one, unless this batch had it already."""
        self.calls[name] += 1
        if self.clock.begun(name):
            return
        now_ns = self.clock.now()
        self._end(now_ns)
        self.clock.begin(name, now_ns)
        self._current = name

    def start(self) -> int:
        """Forget the last batch; when this one starts."""
        self.clock.clear()
        self.calls.clear()
        self._current = None
        return self.clock.now()

    def finish(self) -> int:
        """End the last phase; when this batch ended."""
        now_ns = self.clock.now()
        self._end(now_ns)
        return now_ns

    def _end(self, at_ns: int) -> None:
        if self._current is not None:
            self.clock.finish(self._current, at_ns)


class FirstScores(LogitsProcessor):
    """Notes whether the scores of the first new token contain a NaN, and changes nothing.

    Choosing the best token would turn a NaN into a token that looks like any other.
    """

    def __init__(self) -> None:
        self._nan: torch.Tensor | None = None

    def __call__(
        self,
        input_ids: torch.LongTensor,  # noqa: ARG002 - the protocol's
        scores: torch.FloatTensor,
    ) -> torch.FloatTensor:
        """Hand the scores on as they are."""
        if self._nan is None:
            self._nan = torch.isnan(scores).any(dim=-1)
            self.ready()
        return scores

    def ready(self) -> None:
        """Called once a batch, when the first scores are there."""

    def nan_items(self) -> tuple[bool, ...]:
        """Whether each item's first scores held a NaN."""
        return () if self._nan is None else tuple(bool(found) for found in self._nan.tolist())


class FirstToken(FirstScores):
    """Stamps the moment when the scores of the first new token are ready.

    A streamer would copy every token to the host; this waits for the devices once a batch.
    """

    def __init__(self, clock: PhaseClock) -> None:
        super().__init__()
        self._clock = clock

    def ready(self) -> None:
        """End the prefill and begin to decode."""
        stamp_ns = self._clock.now()
        self._clock.finish("prefill", stamp_ns)
        self._clock.begin("decode", stamp_ns)


class PipelineWatch:
    """Stamps the phases of one pipeline while it works, and notes what its VAE put out.

    `text_encoder` spans from the first encoder's start to the last one's end, `image_encoder` is that of a
    style picture, `vae_encode` an input picture's way to latents, `denoise` spans from the first step to the
    start of the VAE (so the scheduler's arithmetic is in it), `vae` is the decoding of the latents.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self.clock = PhaseClock(devices)
        self.denoiser_calls = 0
        self._finite: list[torch.Tensor] = []

    def attach(self, pipe: Any, encoders: Sequence[nn.Module], denoiser: nn.Module) -> None:
        """Hook into the pipeline's networks; they keep the hooks for as long as they live."""
        for encoder in encoders:
            encoder.register_forward_pre_hook(self._encoder_starts)
            encoder.register_forward_hook(self._encoder_ended)
        style_encoder = getattr(pipe, "image_encoder", None)
        if style_encoder is not None:
            style_encoder.register_forward_pre_hook(lambda *_: self.clock.begin("image_encoder"))
            style_encoder.register_forward_hook(lambda *_: self.clock.finish("image_encoder"))
        denoiser.register_forward_pre_hook(self._denoiser_starts)
        encode, decode = pipe.vae.encode, pipe.vae.decode

        def encoded(*args: Any, **kwargs: Any) -> Any:
            self.clock.begin("vae_encode")
            found = encode(*args, **kwargs)
            self.clock.finish("vae_encode")
            return found

        def watched(*args: Any, **kwargs: Any) -> Any:
            begin_ns = self.clock.now()
            if not self.clock.begun("vae"):
                self.clock.finish("denoise", begin_ns)
                self.clock.begin("vae", begin_ns)
            try:
                decoded = decode(*args, **kwargs)
            except torch.OutOfMemoryError as error:
                # A pipeline may catch torch's own error here and go on without an image.
                raise EngineError(
                    "The VAE ran out of memory.",
                    "Use a smaller batch or size.",
                    stage="generate",
                    out_of_memory=True,
                ) from error
            self.clock.finish("vae")
            self._finite.append(torch.isfinite(decoded[0]).flatten(1).all(dim=1))
            return decoded

        pipe.vae.encode, pipe.vae.decode = encoded, watched

    def clear(self) -> None:
        """Forget the last batch."""
        self.clock.clear()
        self.denoiser_calls = 0
        self._finite.clear()

    def finite_items(self) -> tuple[bool, ...]:
        """Whether each item of the batch came out of the VAE finite."""
        return tuple(bool(finite) for finite in torch.cat(self._finite).tolist())

    def _encoder_starts(self, *_: Any) -> None:
        self.clock.begin("text_encoder")

    def _encoder_ended(self, *_: Any) -> None:
        self.clock.finish("text_encoder")

    def _denoiser_starts(self, *_: Any) -> None:
        self.clock.begin("denoise")
        self.denoiser_calls += 1
