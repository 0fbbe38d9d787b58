"""Limits of torch's options of every modality: packages for fewer bits, attention kernels of a CUDA card."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from bench.core.modality import Quantization, TorchOptions
from bench.dependencies import install_command
from bench.engines.limits.refused import refused

PACKAGES: dict[Quantization, str] = {
    "bnb-4bit": "bitsandbytes",
    "bnb-8bit": "bitsandbytes",
    "torchao-int8": "torchao",
    "torchao-fp8": "torchao",
}


def check(options: TorchOptions, devices: Sequence[str]) -> None:
    """Raise EngineError for an option without its package, or that no kernel of the devices can do."""
    check_package(options.quantization)
    kernel = options.attention
    if kernel is not None and kernel.startswith("flash_attention") and not devices[0].startswith("cuda"):
        raise refused(
            f"Attention {kernel} needs a CUDA card, and the work runs on {devices[0]}.", "Use sdpa or eager."
        )


def check_package(method: Quantization | None) -> None:
    """Raise EngineError where the package of a quantisation is not installed."""
    if method is not None and importlib.util.find_spec(PACKAGES[method]) is None:
        raise refused(
            f"The package {PACKAGES[method]} is not installed, and quantization {method} needs it.",
            f"Install it with: {install_command('quant')}",
        )
