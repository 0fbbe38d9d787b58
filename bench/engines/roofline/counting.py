"""Bytes and operations of an image model's pass, counted on its true shape without computing anything.

The network runs on torch's `meta` device, where tensors have a shape and no numbers. Each product of
matrices, convolution and attention adds its operations, by torch's own formulas, and the bytes that it reads
and writes. All else (norms, activations, sums) is taken as fused into these, so the bytes are what a perfect
compiler leaves; a large cache on the card may spare some of them, and a plain run moves more.

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

from bench.engines.picture.pass_inputs import Shapes, denoiser_inputs
from bench.engines.roofline.demand import Demand
from bench.engines.weights import architectures, random_weights
from bench.engines.weights.architectures import Component


@cache
def denoiser_pass(
    architecture: str, batch: int, width: int, height: int, dtype: str, text_tokens: int | None = None
) -> Demand:
    """One pass of the denoiser over `batch` latents. Raises UsageError for a class that is not known here."""
    component = _named(architecture, ("transformer", "unet"))
    inputs = denoiser_inputs(component, batch, width, height, text_tokens)
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
    found: Demand = counter.total
    return found


def _tensors(shape: Any, dtype: torch.dtype) -> Any:
    if isinstance(shape, Mapping):
        return {name: _tensors(part, dtype) for name, part in shape.items()}
    return None if shape is None else torch.empty(shape, dtype=dtype)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the operations for which torch has a formula."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
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
