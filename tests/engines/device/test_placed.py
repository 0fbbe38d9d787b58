"""Devices: one that is not there is said so; what a model holds is counted from the model."""

from __future__ import annotations

import logging
import warnings

import pytest
import torch

from bench.core.modality import Options
from bench.engines import create
from bench.engines.device import placed
from bench.errors import EngineError
from tests.engines.conftest import IMAGE, TEXT, spec


@pytest.mark.parametrize(("name", "options"), [("tiny-llama", TEXT), ("tiny-stable-diffusion", IMAGE)])
@pytest.mark.parametrize("asked", ["cuda:99", "gpu"])
def test_a_device_that_is_not_there(name: str, options: Options, asked: str) -> None:
    with pytest.raises(
        EngineError, match=f"Device {asked} does not exist: torch .* sees [0-9]+ CUDA devices"
    ):
        create(spec(name, options, devices=(asked,))).load()


def test_counts_dtype_and_memory_come_from_the_model() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1, dtype=torch.float16))
    assert placed.parameter_count(model) == 25
    assert placed.dtype_name(model) == "float32"
    assert placed.memory_bytes([model, model], ("cpu",)) == 20 * 4 + 5 * 2
    assert placed.strays([model], ("cpu",)) == set()
    assert placed.strays([model.to("meta")], ("cpu",)) == {"meta"}


def test_quiet_is_over_when_it_ends() -> None:
    logger = logging.getLogger("transformers")
    before = logger.level
    with placed.quiet():
        assert logger.level == logging.ERROR
        warnings.warn("old", FutureWarning, stacklevel=1)
    assert logger.level == before
    with pytest.warns(FutureWarning):
        warnings.warn("old", FutureWarning, stacklevel=1)
