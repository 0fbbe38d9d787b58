"""Networks of a pipeline in the host's memory, each on the card only while it works.

offload.require(spec, options)          # EngineError before anything is loaded
offload.put_in_force(pipe, spec, options)
"""

from __future__ import annotations

from typing import Any

from bench.core.diffusion import DiffusionOptions
from bench.engines.base import EngineSpec
from bench.engines.limits.refused import refused


def require(spec: EngineSpec, options: DiffusionOptions) -> None:
    """Raise EngineError where networks cannot be carried between the host and one card."""
    if options.offload is None:
        return
    if spec.devices == ("cpu",) or len(spec.devices) > 1:
        raise refused(
            f"offload carries networks from the host's memory to one card, not to {', '.join(spec.devices)}.",
            "Leave out offload, or measure on one GPU.",
        )
    if options.quantization is not None:
        raise refused(
            "offload carries networks to and fro, and quantised ones stay on their card.",
            "Leave out offload or quantization.",
        )


def put_in_force(pipe: Any, spec: EngineSpec, options: DiffusionOptions) -> None:
    """Have each network carried to the card only while it works, where that is asked for."""
    if options.offload is not None:
        pipe.enable_model_cpu_offload(device=spec.devices[0])
