"""Choice of torch's kernels for text and images: attention kernel, compilation.

with only("flash"):                  # torch may use this kernel and no other
    model(...)                       # ... and raises where it cannot
check_mode(options, ("cuda:0",))     # EngineError for a way of compiling that would not be in force
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.core.modality import TorchOptions
from bench.errors import EngineError

_BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}
_ENABLED = {
    "flash": torch.backends.cuda.flash_sdp_enabled,
    "efficient": torch.backends.cuda.mem_efficient_sdp_enabled,
    "cudnn": torch.backends.cuda.cudnn_sdp_enabled,
    "math": torch.backends.cuda.math_sdp_enabled,
}
_NO_KERNEL = ("No viable backend for scaled_dot_product_attention", "No available kernel")


@contextmanager
def only(kernel: str | None) -> Iterator[None]:
    """Inside, torch's attention is this kernel or an EngineError; `None` leaves the choice to torch."""
    if kernel is None:
        yield
        return
    with sdpa_kernel(_BACKENDS[kernel]):
        try:
            yield
        except RuntimeError as error:
            if not any(text in str(error) for text in _NO_KERNEL):
                raise
            raise EngineError(
                f"The attention kernel {kernel} cannot do this: its device, dtype, mask or head size.",
                "Choose another sdpa_kernel, or leave it out.",
                stage="generate",
            ) from error


def enabled(kernel: str) -> list[str]:
    """The kernels that torch may use inside `only(kernel)`, read back from torch."""
    with only(kernel):
        return [name for name, is_enabled in _ENABLED.items() if is_enabled()]  # type: ignore[no-untyped-call]


def has_graphs(mode: str | None) -> bool:
    """Whether this way of compiling replays CUDA graphs."""
    return mode in ("reduce-overhead", "max-autotune")


def check_mode(options: TorchOptions, devices: Sequence[str]) -> None:
    """Raise EngineError for a `compile_mode` that would change nothing."""
    if options.compile_mode is None:
        return
    if not options.compile:
        raise EngineError(
            f"compile_mode {options.compile_mode} without compile changes nothing.",
            "Set compile: true, or leave out compile_mode.",
        )
    if has_graphs(options.compile_mode) and not devices[0].startswith("cuda"):
        raise EngineError(
            f"compile_mode {options.compile_mode} makes CUDA graphs, and the work runs on {devices[0]}.",
            "Use compile_mode default here.",
        )
