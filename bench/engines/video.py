"""Video from a diffusion pipeline (diffusers), with text encoder, denoiser and VAE as phases.

Inside the window: tokenising and encoding the prompts, all denoising steps, the VAE, and the finished 8-bit
frames on the host. Outside: files, and checks of the frames. With `offload` the way of each
network to the card and back is inside, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench.core.modalities.video import VideoOptions
from bench.engines.base import EngineSpec, GeneratedBatch, OutputCheck
from bench.engines.device import placed
from bench.engines.device.failures import translated
from bench.engines.picture import film_files, pipelines, video_loading
from bench.engines.picture.pictures import BLACK
from bench.engines.picture.pipeline_engine import PipelineEngine


@dataclass(frozen=True)
class Films:
    """Output of `generate` for `inspect`.

    `frames` is uint8 of shape (items, frames, height, width, 3). `finite` is, for each item, whether the
    VAE's output was free of NaN and infinity. `denoiser_calls` counts forward passes over the batch.
    """

    frames: npt.NDArray[np.uint8]
    finite: tuple[bool, ...]
    denoiser_calls: int


def create(spec: EngineSpec) -> VideoEngine:
    """The engine for a spec with `VideoOptions`."""
    assert isinstance(spec.options, VideoOptions), "chosen by the type of the options"
    return VideoEngine(spec, spec.options)


class VideoEngine(PipelineEngine[VideoOptions, pipelines.LoadedPipeline]):
    """One diffusion pipeline of video on its devices."""

    def _load(self) -> pipelines.LoadedPipeline:
        return video_loading.load(self._spec, self._options)

    def generate(self, prompts: Sequence[str], seed: int) -> GeneratedBatch:
        """One clip a prompt, all of them as one batch; item i starts from noise of seed + i.

        Raises EngineError(stage="generate").
        """
        loaded = self._ready()
        with translated("generate", self._spec), placed.quiet():
            watch = self._watch
            watch.clear()
            start_ns = watch.clock.now()
            place = loaded.pipe._execution_device
            generators = [torch.Generator(place).manual_seed(seed + i) for i in range(len(prompts))]
            film = loaded.pipe(prompt=list(prompts), generator=generators, **loaded.call).frames
            frames = (film * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 1, 3, 4, 2)
            on_host = frames.contiguous().cpu().numpy()
            finite = watch.finite_items()
            end_ns = watch.clock.now()
        clips = Films(on_host, finite, watch.denoiser_calls)
        return GeneratedBatch(start_ns, end_ns, len(prompts), watch.clock.phases(), clips)

    def inspect(self, made: GeneratedBatch) -> OutputCheck:
        """Count seconds; look for invalid frames. Raises EngineError(stage="finish")."""
        clips: Films = made.payload
        options = self._options
        wanted = (made.items, options.frames, options.height, options.width, 3)
        problems = []
        if clips.frames.shape != wanted:
            problems.append(f"The frames have shape {clips.frames.shape}, {wanted} was asked for.")
        if clips.denoiser_calls < options.steps:
            problems.append(f"The denoiser ran {clips.denoiser_calls} times, {options.steps} were asked for.")
        for i, item in enumerate(clips.frames):
            if not clips.finite[i]:
                problems.append(f"Item {i}: the film contains NaN or infinity.")
            elif self._spec.weights.kind != "random":
                problems += [f"Item {i}: {problem}" for problem in _wrong_with(item)]
        seconds = tuple(len(item) / options.fps for item in clips.frames)
        return OutputCheck(seconds=seconds, problems=tuple(problems))

    def save(self, made: GeneratedBatch, folder: Path, stem: str) -> list[Path]:
        """Write each clip as `<stem>-<i>.mp4`, or, without an encoder, as a `.png` of all frames."""
        clips: Films = made.payload
        return [
            film_files.write(item, self._options.fps, folder / f"{stem}-{i}")
            for i, item in enumerate(clips.frames)
        ]


def _wrong_with(film: npt.NDArray[np.uint8]) -> Iterator[str]:
    """Faults that no trained model makes: black frames, frames of one colour, the same ones all the way."""
    flat = film.reshape(len(film), -1, film.shape[-1])
    black = int((flat.max(axis=(1, 2)) <= BLACK).sum())
    plain = int((flat == flat[:, :1]).all(axis=(1, 2)).sum())
    if black:
        yield f"{black} of {len(film)} frames are black."
    elif plain:
        yield f"{plain} of {len(film)} frames are of one colour all over."
    if not black and not plain and (period := _period(film)):
        yield (
            "all frames are the same." if period == 1 else f"its first {period} frames come again and again."
        )


def _period(film: npt.NDArray[np.uint8]) -> int | None:
    """Frames after which a film repeats itself to its end; `None` of one that does not within its half."""
    for period in range(1, len(film) // 2 + 1):
        if all(np.array_equal(film[i], film[i - period]) for i in range(period, len(film))):
            return period
    return None
