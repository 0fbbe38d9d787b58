"""Inputs of a denoiser's pass in diffusers: the shapes of its arguments, by class and configuration.

denoiser_inputs(component, batch=2, width=1024, height=1024)     # {"sample": (2, 4, 128, 128), ...}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.engines.weights.architectures import Component
from bench.errors import UsageError

Config = Mapping[str, Any]
Shapes = Mapping[str, Any]
"""By argument of `forward`: a shape, a mapping of such, or `None` for what is not handed over."""


CLIP_TOKENS = 77
"""Tokens of CLIP, independent of T5's length."""


def denoiser_inputs(
    component: Component, batch: int, width: int, height: int, text_tokens: int | None = None
) -> Shapes:
    """The shapes for `batch` latents of this size. Raises UsageError for a class that is not known here.

    `text_tokens` is the length of prompts where a case states one; else the pipeline's own.
    """
    if component.class_name not in _KNOWN:
        raise UsageError(f"The inputs of {component.class_name} are not known here.")
    shapes = _KNOWN[component.class_name](component.config, batch, width, height)
    if text_tokens is None:
        return shapes
    clip = CLIP_TOKENS if component.class_name == "SD3Transformer2DModel" else 0
    return _with_length(shapes, clip + text_tokens)


def _with_length(shapes: Shapes, tokens: int) -> Shapes:
    """The same shapes for prompts of another length."""
    batch, _, width = shapes["encoder_hidden_states"]
    changed = {**shapes, "encoder_hidden_states": (batch, tokens, width)}
    if "txt_ids" in shapes:
        *leading, _, axes = shapes["txt_ids"]
        changed["txt_ids"] = (*leading, tokens, axes)
    return changed


def _unet(config: Config, batch: int, width: int, height: int) -> Shapes:
    inputs: dict[str, Any] = {
        "sample": (batch, config.get("in_channels", 4), height // 8, width // 8),
        "timestep": (),
        "encoder_hidden_states": (batch, 77, config["cross_attention_dim"]),
    }
    if config.get("addition_embed_type") == "text_time":
        times = 6 * config["addition_time_embed_dim"]
        pooled = config["projection_class_embeddings_input_dim"] - times
        inputs["added_cond_kwargs"] = {"text_embeds": (batch, pooled), "time_ids": (batch, 6)}
    return inputs


def _sd3(config: Config, batch: int, width: int, height: int) -> Shapes:
    # 77 tokens of CLIP and 256 of T5, diffusers' default length.
    return {
        "hidden_states": (batch, config["in_channels"], height // 8, width // 8),
        "encoder_hidden_states": (batch, CLIP_TOKENS + 256, config["joint_attention_dim"]),
        "pooled_projections": (batch, config["pooled_projection_dim"]),
        "timestep": (batch,),
    }


def _flux(config: Config, batch: int, width: int, height: int) -> Shapes:
    patches, guided = (height // 16) * (width // 16), config.get("guidance_embeds")
    # diffusers' default length of T5, 512; the card of the quick variant calls for at most 256.
    return {
        "hidden_states": (batch, patches, config["in_channels"]),
        "encoder_hidden_states": (batch, 512, config["joint_attention_dim"]),
        "pooled_projections": (batch, config["pooled_projection_dim"]),
        "timestep": (batch,),
        "img_ids": (patches, 3),
        "txt_ids": (512, 3),
        "guidance": (batch,) if guided else None,
    }


def _flux2(config: Config, batch: int, width: int, height: int) -> Shapes:
    patches, guided = (height // 16) * (width // 16), config.get("guidance_embeds")
    return {
        "hidden_states": (batch, patches, config["in_channels"]),
        "encoder_hidden_states": (batch, 512, config["joint_attention_dim"]),
        "timestep": (batch,),
        "img_ids": (batch, patches, 4),
        "txt_ids": (batch, 512, 4),
        "guidance": (batch,) if guided else None,
    }


def _cross(config: Config, batch: int, width: int, height: int) -> Shapes:
    side = 8 if config.get("patch_size") == 2 else 32
    tokens = 300
    shapes = {
        "hidden_states": (batch, config["in_channels"], height // side, width // side),
        "encoder_hidden_states": (batch, tokens, config["caption_channels"]),
        "timestep": (batch,),
    }
    if side == 8:
        return shapes | {"added_cond_kwargs": {"resolution": None, "aspect_ratio": None}}
    return shapes


_KNOWN: dict[str, Callable[[Config, int, int, int], Shapes]] = {
    "UNet2DConditionModel": _unet,
    "SD3Transformer2DModel": _sd3,
    "FluxTransformer2DModel": _flux,
    "Flux2Transformer2DModel": _flux2,
    "PixArtTransformer2DModel": _cross,
    "SanaTransformer2DModel": _cross,
}
