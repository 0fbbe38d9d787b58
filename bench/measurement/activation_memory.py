"""Least memory of a batch's activations, from the shapes of a model's networks.

    activation_bytes(case)      # 0 where the shapes are not known here

It is what one layer has to keep at once and no more, so a case that exceeds it cannot run. A picture's VAE
decodes all of a batch; of a film, where it may decode frame by frame, the denoiser's tokens count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.catalog.cases import Case
from bench.core.diffusion import DiffusionOptions
from bench.core.modalities.video import VideoOptions
from bench.engines.limits.video import FilmGrid, grid_of
from bench.engines.weights import architectures

BYTES_PER_NUMBER = {"bfloat16": 2, "float16": 2, "float32": 4}
MAPS_AT_ONCE = 2
"""A normalisation at full size keeps what it reads and what it writes."""
ATTENTION_AT_ONCE = 4
"""Residual, query, key and value of each token."""


def activation_bytes(case: Case) -> int:
    """Bytes of the largest layer's activations at least."""
    name, options = case.model.architecture, case.options
    if name is None or not isinstance(options, DiffusionOptions):
        return 0
    shape = architectures.load(name)
    configs = {part.name: part.config for part in shape.components}
    classes = {part.name: part.class_name for part in shape.components}
    bytes_each = case.batch * BYTES_PER_NUMBER[case.dtype]
    if isinstance(options, VideoOptions):
        grid = grid_of(shape)
        width = _token_width(configs.get("transformer", {}))
        return bytes_each * _tokens(options, grid) * width if grid else 0
    if classes.get("vae") == "AutoencoderKL":
        channels = int(configs["vae"]["block_out_channels"][0])
        return bytes_each * options.width * options.height * channels * MAPS_AT_ONCE
    return 0


def _tokens(options: VideoOptions, grid: FilmGrid) -> int:
    """Tokens of a film: its latent frames and patches."""
    latent_frames = (options.frames - 1) // grid.frames + 1
    return latent_frames * (options.width // grid.pixels) * (options.height // grid.pixels)


def _token_width(config: Mapping[str, Any]) -> int:
    """Numbers of each token in the widest layer: attention, or the feed-forward one beside the residual."""
    inner = int(config.get("num_attention_heads", 0)) * int(config.get("attention_head_dim", 0))
    return max(ATTENTION_AT_ONCE * inner, inner + int(config.get("ffn_dim", ATTENTION_AT_ONCE * inner)))
