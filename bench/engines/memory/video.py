"""Memory of video models: the denoiser's tokens count, for a VAE may decode frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.core.modalities.video import VideoOptions
from bench.core.modality import Options
from bench.engines.limits.video import FilmGrid, grid_of
from bench.engines.memory import BatchMemory
from bench.engines.weights.architectures import Architecture

ATTENTION_AT_ONCE = 4
"""Residual, query, key and value of each token."""


def memory_of(options: Options, shape: Architecture, batch: int, number_bytes: int) -> BatchMemory:
    """All tokens of a film in the denoiser's widest layer."""
    assert isinstance(options, VideoOptions), "chosen by the type of the options"
    grid = grid_of(shape)
    if grid is None:
        return BatchMemory()
    config = next((part.config for part in shape.components if part.name == "transformer"), {})
    return BatchMemory(activation_bytes=batch * number_bytes * _tokens(options, grid) * _token_width(config))


def _tokens(options: VideoOptions, grid: FilmGrid) -> int:
    """Tokens of a film: its latent frames and patches."""
    latent_frames = (options.frames - 1) // grid.frames + 1
    return latent_frames * (options.width // grid.pixels) * (options.height // grid.pixels)


def _token_width(config: Mapping[str, Any]) -> int:
    """Numbers of each token in the widest layer: attention, or the feed-forward one beside the residual."""
    inner = int(config.get("num_attention_heads", 0)) * int(config.get("attention_head_dim", 0))
    return max(ATTENTION_AT_ONCE * inner, inner + int(config.get("ffn_dim", ATTENTION_AT_ONCE * inner)))
