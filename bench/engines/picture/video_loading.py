"""Brings a video pipeline (diffusers) onto the devices: frames, frame rate, offload and tiles.

loaded = load(spec, options)     # inside failures.translated("load", spec)
loaded.pipe(prompt=[...], **loaded.call).frames
"""

from __future__ import annotations

import inspect
from typing import Any

from bench.core.modalities.video import VideoOptions
from bench.engines.base import EngineSpec
from bench.engines.limits.refused import refused
from bench.engines.limits.video import FilmGrid, check_film
from bench.engines.picture import offload, pipelines
from bench.engines.picture.pipelines import LoadedPipeline
from bench.errors import EngineError

_TEMPORAL = ("vae_scale_factor_temporal", "vae_temporal_compression_ratio", "vae_temporal_scale_factor")
"""The pipelines' name of the number of frames per latent frame."""


def load(spec: EngineSpec, options: VideoOptions) -> LoadedPipeline:
    """Load what `spec` names. Raises EngineError, or the libraries' own errors for `failures` to map."""
    pipe, revision, stored = pipelines.build(spec, options, "video")
    _check(pipe, options)
    arranged = pipelines.arrange(pipe, spec, options)
    if options.vae_tiling:
        _tile(pipe)
    offload.put_in_force(pipe, spec, options)
    call, guidance = pipelines.call_arguments(pipe, arranged.denoiser, options)
    call["num_frames"] = options.frames
    rate = "frame_rate" in inspect.signature(pipe.__call__).parameters
    if rate:
        call["frame_rate"] = options.fps
    used = (
        pipelines.used(spec, options, pipe, arranged, guidance)
        | stored
        | {
            "frames": options.frames,
            "fps": options.fps,
            "fps_in_model": rate,
            "offload": options.offload,
            "vae_tiling": bool(getattr(pipe.vae, "use_tiling", False)),
        }
    )
    return LoadedPipeline(pipe, arranged.denoiser, arranged.encoders, call, revision, used)


def _check(pipe: Any, options: VideoOptions) -> None:
    """Raise EngineError for a clip that the pipeline would silently make shorter or smaller."""
    accepted = inspect.signature(pipe.__call__).parameters
    each = next((getattr(pipe, name) for name in _TEMPORAL if hasattr(pipe, name)), None)
    if "num_frames" not in accepted or each is None:
        raise EngineError(f"{type(pipe).__name__} makes no video.", "Use a model of video.")
    positions = getattr(pipe.transformer.config, "rope_max_seq_len", None)
    check_film(type(pipe).__name__, FilmGrid(each, _multiple(pipe), positions), options)


def _multiple(pipe: Any) -> int:
    """Pixels of a side for each patch of the denoiser."""
    names = ("vae_scale_factor_spatial", "vae_spatial_compression_ratio", "vae_spatial_scale_factor")
    pixels = next(int(getattr(pipe, name)) for name in names if hasattr(pipe, name))
    patch = pipe.transformer.config.patch_size
    return pixels * (int(patch) if isinstance(patch, int) else int(patch[-1]))


def _tile(pipe: Any) -> None:
    """Let the VAE decode tile by tile. Raises EngineError where it cannot."""
    try:
        pipe.vae.enable_tiling()
    except (AttributeError, NotImplementedError) as error:
        raise refused(
            f"{type(pipe.vae).__name__} cannot decode tile by tile.", "Leave out vae_tiling."
        ) from error
