"""Bytes and operations of an image model's pass, counted on its true shape without computing anything.

The network runs on torch's `meta` device, where tensors have a shape and no numbers. Each product of matrices,
convolution and attention adds its operations, by torch's own formulas, and the bytes of what it reads and writes.
All else (norms, activations, sums) is taken as fused into these, so the bytes are what a perfect compiler leaves;
a large cache on the card may spare some of them, and a plain run moves more.

    denoiser_pass("sdxl", batch=2, width=1024, height=1024, dtype="bfloat16")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from bench.engines import architectures, random_weights
from bench.engines.architectures import Component
from bench.engines.demand import Demand
from bench.errors import UsageError

Shapes = Mapping[str, Any]
"""By argument of `forward`: a shape, or a mapping of such."""


@cache
def denoiser_pass(architecture: str, batch: int, width: int, height: int, dtype: str) -> Demand:
    """One pass of the denoiser over `batch` latents. Raises UsageError for a class that is not known here."""
    component = _named(architecture, ("transformer", "unet"))
    if component.class_name not in _INPUTS:
        raise UsageError(f"The inputs of {component.class_name} are not known here.")
    inputs = _INPUTS[component.class_name](component.config, batch, width, height)
    network = random_weights.shape_only(component)
    return _counted(lambda arguments: network(**arguments), network, inputs, dtype)


@cache
def vae_decode(architecture: str, batch: int, width: int, height: int, dtype: str) -> Demand:
    """Latents of `batch` items to pixels."""
    component = _named(architecture, ("vae",))
    network: Any = random_weights.shape_only(component)
    side = 32 if component.class_name == "AutoencoderDC" else 8
    channels = component.config["latent_channels"]
    inputs = {"z": (batch, channels, height // side, width // side)}
    return _counted(lambda arguments: network.decode(**arguments), network, inputs, dtype)


def _named(architecture: str, names: Sequence[str]) -> Component:
    return next(part for part in architectures.load(architecture).components if part.name in names)


def _counted(
    run: Callable[[dict[str, Any]], object], network: nn.Module, inputs: Shapes, dtype: str
) -> Demand:
    chosen: torch.dtype = getattr(torch, dtype)
    nn.Module.to(network, dtype=chosen)
    with torch.device("meta"), torch.no_grad(), _Counter() as counter, _Attention(counter):
        run({name: _tensors(shape, chosen) for name, shape in inputs.items()})
    return counter.total


def _tensors(shape: Any, dtype: torch.dtype) -> Any:
    if isinstance(shape, Mapping):
        return {name: _tensors(part, dtype) for name, part in shape.items()}
    return None if shape is None else torch.empty(shape, dtype=dtype)


class _Counter(TorchDispatchMode):
    """Adds up what torch knows a formula for."""

    def __init__(self) -> None:
        super().__init__()
        self.total = Demand(0, 0)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run the operation; count it where it multiplies."""
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.add(formula(*args, **(kwargs or {}), out_val=out), args, kwargs, out)
        return out

    def add(self, operations: float, *touched: Any) -> None:
        """So many operations on these tensors."""
        tensors = [leaf for leaf in tree_leaves(touched) if isinstance(leaf, torch.Tensor)]
        self.total += Demand(sum(each.numel() * each.element_size() for each in tensors), operations)


class _Attention(TorchFunctionMode):
    """Attention as the one kernel that it is on a GPU; torch would take it apart on this device."""

    def __init__(self, counter: _Counter) -> None:
        super().__init__()
        self._counter = counter

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Anything else as it is."""
        if func is not nn.functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, value = _first_three(args, kwargs or {})
        out = torch.empty((*query.shape[:-1], value.shape[-1]), dtype=query.dtype)
        pairs = query.numel() // query.shape[-1] * key.shape[-2]
        self._counter.add(2 * pairs * (query.shape[-1] + value.shape[-1]), query, key, value, out)
        return out


def _first_three(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    query, key, value = (*args, *(kwargs[name] for name in ("query", "key", "value")[len(args) :]))[:3]
    return query, key, value


def _unet(config: Mapping[str, Any], batch: int, width: int, height: int) -> Shapes:
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


def _sd3(config: Mapping[str, Any], batch: int, width: int, height: int) -> Shapes:
    # 77 tokens of CLIP and 256 of T5, diffusers' default length.
    return {
        "hidden_states": (batch, config["in_channels"], height // 8, width // 8),
        "encoder_hidden_states": (batch, 77 + 256, config["joint_attention_dim"]),
        "pooled_projections": (batch, config["pooled_projection_dim"]),
        "timestep": (batch,),
    }


def _flux(config: Mapping[str, Any], batch: int, width: int, height: int) -> Shapes:
    patches, guided = (height // 16) * (width // 16), config.get("guidance_embeds")
    # diffusers' default length of T5: 512, also for the quick variant.
    return {
        "hidden_states": (batch, patches, config["in_channels"]),
        "encoder_hidden_states": (batch, 512, config["joint_attention_dim"]),
        "pooled_projections": (batch, config["pooled_projection_dim"]),
        "timestep": (batch,),
        "img_ids": (patches, 3),
        "txt_ids": (512, 3),
        "guidance": (batch,) if guided else None,
    }


def _flux2(config: Mapping[str, Any], batch: int, width: int, height: int) -> Shapes:
    patches, guided = (height // 16) * (width // 16), config.get("guidance_embeds")
    return {
        "hidden_states": (batch, patches, config["in_channels"]),
        "encoder_hidden_states": (batch, 512, config["joint_attention_dim"]),
        "timestep": (batch,),
        "img_ids": (batch, patches, 4),
        "txt_ids": (batch, 512, 4),
        "guidance": (batch,) if guided else None,
    }


def _cross(config: Mapping[str, Any], batch: int, width: int, height: int) -> Shapes:
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


_INPUTS: dict[str, Callable[[Mapping[str, Any], int, int, int], Shapes]] = {
    "UNet2DConditionModel": _unet,
    "SD3Transformer2DModel": _sd3,
    "FluxTransformer2DModel": _flux,
    "Flux2Transformer2DModel": _flux2,
    "PixArtTransformer2DModel": _cross,
    "SanaTransformer2DModel": _cross,
}
