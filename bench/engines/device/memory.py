"""The most memory that work took at once, since it was last forgotten.

    forget_peak(("cuda:0",))
    ...
    peak(("cuda:0",)).used_bytes

On CUDA devices it is torch's allocator's figure, summed over them (their peaks may be at different moments);
the driver's context and what libraries take past the allocator are not in it. On a CPU it is the resident
memory of this whole process, libraries included.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.observed import PeakMemory

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
HIGH_WATER = "5"
"""Value that makes Linux reset a process' highest resident memory, and nothing else."""


def forget_peak(devices: Sequence[str]) -> str | None:
    """Reset the peak to the present use; return the reason if that fails."""
    cuda = _cuda(devices)
    if cuda:
        import torch

        for device in cuda:
            torch.cuda.reset_peak_memory_stats(device)
        return None
    try:
        CLEAR.write_text(HIGH_WATER, encoding="ascii")
    except OSError as error:
        return f"Linux does not let the peak of loading be forgotten: {error.strerror}"
    return None


def peak(devices: Sequence[str], unforgotten: str | None = None) -> PeakMemory:
    """The peak since `forget_peak`; `unforgotten` is what that returned."""
    cuda = _cuda(devices)
    if cuda:
        import torch

        return PeakMemory(
            used_bytes=sum(torch.cuda.max_memory_allocated(device) for device in cuda),
            of="cuda-allocator",
            reserved_bytes=sum(torch.cuda.max_memory_reserved(device) for device in cuda),
            reason=None,
        )
    if unforgotten is not None:
        return _resident(None, unforgotten)
    for line in STATUS.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return _resident(int(line.split()[1]) * 1024)
    return _resident(None, "Linux does not show the process' highest resident memory")


def _resident(used_bytes: int | None, reason: str | None = None) -> PeakMemory:
    """A process' own peak; `None` comes with the reason."""
    return PeakMemory(used_bytes=used_bytes, of="process-resident", reserved_bytes=None, reason=reason)


def _cuda(devices: Sequence[str]) -> list[str]:
    return [device for device in devices if device.startswith("cuda")]
