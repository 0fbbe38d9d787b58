"""The generated load: how long it works, and what it says without a CUDA device."""

from __future__ import annotations

import time

import pytest
import torch

from bench.core.calibration import LoadLevel
from bench.engines import create_square_load
from bench.engines.device import cuda_load
from bench.engines.device.cuda_load import CudaLoad
from bench.errors import EngineError


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_without_a_device_it_says_so() -> None:
    with pytest.raises(EngineError, match="Device cuda:0 does not exist") as caught:
        create_square_load("cuda:0")
    assert caught.value.missing


@pytest.mark.parametrize("level", ["idle", "middle", "high"])
def test_it_works_for_as_long_as_it_is_told_and_returns(
    level: LoadLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a CPU, in small: what is launched is the same."""
    for name, value in {"SIDE": 32, "MOVED_NUMBERS": 1024, "WARM_UP_S": 0.02}.items():
        monkeypatch.setattr(cuda_load, name, value)
    load = CudaLoad("cpu")
    begun = time.monotonic()
    load.run(level, 0.05)
    assert 0.05 <= time.monotonic() - begun < 5


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_on_a_card_its_levels_draw_different_powers() -> None:
    from bench.meters.gpus import GpuDrivers

    load = create_square_load("cuda:0")
    with GpuDrivers() as drivers:
        gpu = drivers.find(load.uuid)
        watts = []
        for level in ("idle", "middle", "high"):
            load.run(level, 2.0)
            before = gpu.read()
            load.run(level, 3.0)
            after = gpu.read()
            assert before.energy_j is not None
            assert after.energy_j is not None
            watts.append((after.energy_j - before.energy_j) / ((after.t_ns - before.t_ns) / 1e9))
    assert watts[0] < watts[1] < watts[2]
