"""Limits of video pipelines: numbers of frames, sides, and the length that positions reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.core.modalities.video import MOST_FRAMES, VideoOptions
from bench.engines.base import EngineSpec
from bench.engines.limits import compiling
from bench.engines.limits.refused import refused, too_many
from bench.engines.picture import offload
from bench.engines.weights.architectures import Architecture

NetworkConfig = Mapping[str, Any]


@dataclass(frozen=True)
class FilmGrid:
    """Frames and pixels of a side for each latent one, and the most latent frames (`None`: any number)."""

    frames: int
    pixels: int
    most_latent_frames: int | None = None


def _wan(vae: NetworkConfig, denoiser: NetworkConfig) -> FilmGrid:
    pixels = vae.get("scale_factor_spatial", 8) * denoiser["patch_size"][-1]
    positions = denoiser.get("rope_max_seq_len", 1024) * denoiser["patch_size"][0]
    return FilmGrid(vae.get("scale_factor_temporal", 4), pixels, positions)


def _cogvideox(vae: NetworkConfig, denoiser: NetworkConfig) -> FilmGrid:
    pixels = 2 ** (len(vae["block_out_channels"]) - 1) * denoiser["patch_size"]
    return FilmGrid(vae["temporal_compression_ratio"], pixels)


def _ltx(vae: NetworkConfig, denoiser: NetworkConfig) -> FilmGrid:
    doublings = sum(vae.get("spatio_temporal_scaling", (True, True, True, False)))
    pixels = vae["patch_size"] * 2**doublings * denoiser.get("patch_size", 1)
    return FilmGrid(vae["patch_size_t"] * 2**doublings, pixels)


def _mochi(_vae: NetworkConfig, denoiser: NetworkConfig) -> FilmGrid:
    return FilmGrid(6, 8 * denoiser["patch_size"])


_GRIDS: Mapping[str, Callable[[NetworkConfig, NetworkConfig], FilmGrid]] = {
    "WanPipeline": _wan,
    "CogVideoXPipeline": _cogvideox,
    "LTXPipeline": _ltx,
    "MochiPipeline": _mochi,
}
"""Grid of each known pipeline from the configurations of its VAE and denoiser, as diffusers computes it."""


_LEAST_STEPS = {"LTXPipeline": 2, "LTXConditionPipeline": 2, "MochiPipeline": 2}
"""Steps without which a pipeline's schedule divides by zero (diffusers 0.42.1)."""


def check_least_steps(pipeline: str, steps: int) -> None:
    """Raise EngineError for fewer steps than the schedule of this pipeline has."""
    least = _LEAST_STEPS.get(pipeline, 1)
    if steps < least:
        raise refused(
            f"The schedule of {pipeline} has {least} steps at least, and {steps} was asked for.",
            f"Use --steps {least} or more.",
        )


def grid_of(shape: Architecture) -> FilmGrid | None:
    """The grid of a model; `None` where its pipeline is not known here."""
    configs = {part.name: part.config for part in shape.components}
    grid = _GRIDS.get(shape.pipeline or "")
    return grid(configs["vae"], configs["transformer"]) if grid else None


def check(spec: EngineSpec, shape: Architecture | None) -> None:
    """Raise EngineError for a film that the pipeline cannot make, or would silently round."""
    options = spec.options
    assert isinstance(options, VideoOptions), "chosen by the type of the options"
    compiling.check_mode(options, spec.devices)
    compiling.check_blocks(options, compile_blocks=options.compile_blocks)
    offload.require(spec, options)
    if shape is not None and shape.pipeline is not None:
        check_least_steps(shape.pipeline, options.steps)
    if shape is not None and (grid := grid_of(shape)) is not None:
        check_film(str(shape.pipeline), grid, options)


def check_film(pipeline: str, grid: FilmGrid, options: VideoOptions) -> None:
    """Raise EngineError for frames and sides that are not on the grid."""
    each = grid.frames
    most = MOST_FRAMES if grid.most_latent_frames is None else (grid.most_latent_frames - 1) * each + 1
    if options.frames > most:
        raise too_many(pipeline, "makes", f"{most} frames", str(options.frames), f"Use --frames {most}.")
    if (options.frames - 1) % each:
        nearest = max(1, round((options.frames - 1) / each)) * each + 1
        fits = nearest if nearest <= most else nearest - each
        raise refused(
            f"{pipeline} makes {each}n+1 frames, and {options.frames} are asked for.", f"Use --frames {fits}."
        )
    for side in (options.width, options.height):
        if side % grid.pixels:
            width, height = (_near(one, grid.pixels) for one in (options.width, options.height))
            raise refused(
                f"{pipeline} makes sides that are multiples of {grid.pixels} pixels, not {side}.",
                f"Use --size {width}x{height}.",
            )


def _near(side: int, multiple: int) -> int:
    return max(1, round(side / multiple)) * multiple
