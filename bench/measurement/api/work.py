"""End of the caller's own work on the cards."""

from __future__ import annotations

import sys


def synchronise_torch() -> None:
    """Wait for the cards that torch works on in this process; nothing to do where it does not use CUDA.

    torch is looked up, never imported, and no context is made on a card that has none.
    """
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return
    for index in range(cuda.device_count()):
        if index == cuda.current_device() or cuda.memory_reserved(index):
            cuda.synchronize(index)
