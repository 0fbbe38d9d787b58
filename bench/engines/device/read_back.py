"""Facts of a loaded model, read back from the networks themselves and not from what was asked for.

return loaded_model(spec, {"model": model}, used, revision, load_s)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from bench.engines.base import EngineSpec, LoadedModel
from bench.engines.device import placed


def loaded_model(
    spec: EngineSpec,
    networks: Mapping[str, torch.nn.Module],
    used: dict[str, Any],
    revision: str | None,
    load_s: float,
) -> LoadedModel:
    """Parameters and data types by network, cards, and memory in bytes; `load_s` is in seconds."""
    return LoadedModel(
        parameters={name: placed.parameter_count(network) for name, network in networks.items()},
        dtypes={name: placed.dtype_name(network) for name, network in networks.items()},
        used=used,
        revision=revision,
        device_uuids=placed.device_uuids(spec.devices),
        memory_bytes=placed.memory_bytes(networks.values(), spec.devices),
        load_s=load_s,
        libraries=placed.libraries(),
    )
