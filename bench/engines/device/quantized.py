"""Linear layers with their weights in fewer bits, by bitsandbytes or torchao.

    require(options, spec.devices)                       # EngineError before anything is loaded
    ready = quantise([model], options, spec)             # {"method": "bnb-4bit", "layers": 224, ...}

Networks are loaded or drawn on the host in the dtype of the case, then each layer is quantised on its way to
the device, so that the weights are never on the device in full. The numbers are those of the libraries' own
loading, because each layer is quantised by itself. Embeddings, norms, convolutions, the output head, and what
a library keeps in fp32 stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from bench.core.modality import Quantization, TorchOptions
from bench.engines.base import EngineSpec
from bench.engines.device import placed
from bench.engines.limits.refused import refused

_LEAST_CAPABILITY: dict[Quantization, tuple[int, int]] = {
    "bnb-4bit": (6, 0),
    "bnb-8bit": (7, 5),
    "torchao-int8": (8, 0),
    "torchao-fp8": (8, 9),
}
"""Compute capability that a card needs, by the libraries' own pages; a CPU can do all of them."""
OUTLIERS = 6.0
"""bitsandbytes' own threshold: larger activations are multiplied in 16 bits beside the 8-bit product."""


def require(options: TorchOptions, devices: Sequence[str]) -> None:
    """Raise EngineError where the devices cannot do the quantisation asked for."""
    method = options.quantization
    if method is None:
        return
    if len(devices) > 1:
        raise refused(
            f"quantization {method} puts a model on one device, not on {len(devices)}.",
            "Name one card with --gpus.",
        )
    if devices[0].startswith("cuda"):
        _require_capability(method, devices[0])


def _require_capability(method: Quantization, device: str) -> None:
    has, needs = torch.cuda.get_device_capability(device), _LEAST_CAPABILITY[method]
    if has < needs:
        raise refused(
            f"quantization {method} needs a card of compute capability {needs[0]}.{needs[1]}, and "
            f"{placed.device_name(device)} has {has[0]}.{has[1]}.",
            "Use another quantization, or leave it out.",
        )


def home(options: TorchOptions, device: str) -> str:
    """Where a network's weights are put first: on the host where they are quantised on their way."""
    return device if options.quantization is None else "cpu"


def quantise(networks: Sequence[nn.Module], options: TorchOptions, spec: EngineSpec) -> dict[str, Any]:
    """Quantise the networks' linear layers on their way to the device; returns what came of it, by name.

    Nothing where no quantisation is asked for. Raises EngineError for networks without such layers.
    """
    method = options.quantization
    if method is None:
        return {}
    dtype: torch.dtype = getattr(torch, spec.dtype)
    layers = numbers = 0
    for network in networks:
        for parent, name, layer in list(_layers(network)):
            numbers += layer.weight.numel()
            layers += 1
            _replace(parent, name, layer, method, dtype, spec.devices[0])
        network.to(spec.devices[0])
    if not layers:
        raise refused(
            f"{spec.model} has no linear layer that quantization could change.", "Leave out quantization."
        )
    total = sum(placed.parameter_count(network) for network in networks)
    return {
        "quantization": {"method": method, "layers": layers, "share_of_numbers": round(numbers / total, 4)}
    }


def _layers(network: Any) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    """Linear layers to quantise, each with its parent and its name there."""
    kept_in_fp32 = (
        *(getattr(network, "_keep_in_fp32_modules", None) or ()),
        *(getattr(network, "_keep_in_fp32_modules_strict", None) or ()),
    )
    head = network.get_output_embeddings() if hasattr(network, "get_output_embeddings") else None
    for path, parent in network.named_modules():
        for name, layer in parent.named_children():
            full = f"{path}.{name}"
            if (
                type(layer) is nn.Linear
                and layer is not head
                and not any(part in full for part in kept_in_fp32)
            ):
                yield parent, name, layer


def _replace(
    parent: nn.Module, name: str, layer: nn.Linear, method: Quantization, dtype: torch.dtype, device: str
) -> None:
    """Put the quantised layer in the place of the other, on the device."""
    if method.startswith("torchao"):
        _torchao(layer, method, device)
    else:
        setattr(parent, name, _bitsandbytes(layer, method, dtype).to(device))


def _torchao(layer: nn.Linear, method: Quantization, device: str) -> None:
    from torchao import quantization as torchao

    config = torchao.Int8WeightOnlyConfig() if method == "torchao-int8" else torchao.Float8WeightOnlyConfig()
    torchao.quantize_(layer, config, filter_fn=lambda module, _: module is layer, device=device)


def _bitsandbytes(layer: nn.Linear, method: Quantization, dtype: torch.dtype) -> nn.Module:
    """The layer of bitsandbytes; its weight is quantised when it is moved to its device."""
    import bitsandbytes

    sizes, has_bias = (layer.in_features, layer.out_features), layer.bias is not None
    quantised: Any
    if method == "bnb-4bit":
        quantised = bitsandbytes.nn.Linear4bit(*sizes, has_bias, compute_dtype=dtype, quant_type="nf4")
        quantised.weight = bitsandbytes.nn.Params4bit(
            layer.weight.data, requires_grad=False, quant_type="nf4"
        )
    else:
        quantised = bitsandbytes.nn.Linear8bitLt(*sizes, has_bias, has_fp16_weights=False, threshold=OUTLIERS)
        quantised.weight = bitsandbytes.nn.Int8Params(
            layer.weight.data, requires_grad=False, has_fp16_weights=False
        )
    quantised.bias = layer.bias
    replaced: nn.Module = quantised.requires_grad_(False)
    return replaced
