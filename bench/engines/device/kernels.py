"""Choice of torch's attention kernel for text and images.

with only("flash"):                  # torch may use this kernel and no other
    model(...)                       # ... and raises where it cannot
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.engines.limits.refused import refused

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
            raise refused(
                f"The attention kernel {kernel} cannot do this: its device, dtype, mask or head size.",
                "Choose another sdpa_kernel, or leave it out.",
                stage="generate",
            ) from error


def enabled(kernel: str) -> list[str]:
    """The kernels that torch may use inside `only(kernel)`, read back from torch."""
    with only(kernel):
        return [name for name, is_enabled in _ENABLED.items() if is_enabled()]  # type: ignore[no-untyped-call]
