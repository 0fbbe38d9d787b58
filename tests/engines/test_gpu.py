"""On a real GPU: true shapes with random numbers, straight on the device, and edges that are synchronised."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from bench.core.modalities.image import ImageOptions
from bench.core.modalities.text import TextOptions
from bench.engines import create, measure_peaks
from bench.engines.roofline.peak_sizes import PeakSizes
from bench.errors import EngineError
from tests.engines.conftest import PROMPTS, spec

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CUDA: dict[str, Any] = {"devices": ("cuda:0",), "dtype": "bfloat16"}


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("bloom-560m", TextOptions(new_tokens=32)),
        ("bloom-560m", TextOptions(new_tokens=32, static_cache=True, attention="eager")),
        ("stable-diffusion-1.5", ImageOptions(width=512, height=512, steps=4)),
        ("sdxl", ImageOptions(width=512, height=512, steps=2)),
    ],
)
def test_a_true_shape_runs_on_the_device(architecture: str, options: TextOptions | ImageOptions) -> None:
    before = torch.cuda.memory_allocated()
    engine = create(spec(architecture, options, **CUDA))
    ready = engine.load()
    assert all(re.fullmatch("GPU-[0-9a-f-]{36}", name) for name in ready.device_uuids)
    assert len(ready.device_uuids) == 1
    # Two bytes a number, buffers and the allocator's rounding on top: no fp32 copy anywhere.
    numbers = sum(ready.parameters.values())
    assert ready.memory_bytes is not None
    assert 2 * numbers <= ready.memory_bytes - before <= 2.2 * numbers + 50e6
    made = engine.generate(PROMPTS, seed=0)
    assert engine.inspect(made).problems == ()
    edges = [edge for phase in made.phases for edge in (phase.start_ns, phase.end_ns)]
    assert [made.start_ns, *edges, made.end_ns] == sorted([made.start_ns, *edges, made.end_ns])
    engine.unload()
    assert torch.cuda.memory_allocated() <= before + 50e6


def test_out_of_memory_is_said_and_leaves_room_for_a_smaller_batch() -> None:
    engine = create(spec("stable-diffusion-1.5", ImageOptions(width=512, height=512, steps=1), **CUDA))
    engine.load()
    with pytest.raises(EngineError) as caught:
        engine.generate(["A cat"] * 4096, seed=0)
    assert caught.value.out_of_memory
    assert engine.inspect(engine.generate(["A cat"], seed=0)).problems == ()
    engine.unload()


@pytest.mark.parametrize("mode", ["default", "reduce-overhead"])
def test_a_compiled_decode_step_writes_the_same_pages_as_the_plain_one(mode: str) -> None:
    pages = []
    varied: dict[str, Any] = {"static_cache": True, "compile": True, "compile_mode": mode}
    plain: dict[str, Any] = {}
    for changes in (plain, varied):
        engine = create(
            spec("tiny-llama", TextOptions(new_tokens=32, **changes), **(CUDA | {"dtype": "float32"}))
        )
        engine.load()
        for _ in range(3):  # traced, recorded, replayed
            made = engine.generate(PROMPTS, seed=0)
        assert engine.inspect(made).problems == ()
        pages.append(made.payload.token_ids)
        engine.unload()
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "changes",
    [{"channels_last": True}, {"sdpa_kernel": "flash"}, {"compile": True, "compile_mode": "reduce-overhead"}],
    ids="-".join,
)
def test_a_variant_makes_the_same_picture_on_the_device(changes: dict[str, Any]) -> None:
    pictures = []
    plain: dict[str, Any] = {}
    for used in (plain, changes):
        engine = create(spec("tiny-sdxl", ImageOptions(width=64, height=64, steps=4, **used), **CUDA))
        engine.load()
        for _ in range(3):
            made = engine.generate(PROMPTS, seed=0)
        assert engine.inspect(made).problems == ()
        pictures.append(made.payload.pixels.astype(int))
        engine.unload()
    assert abs(pictures[0] - pictures[1]).mean() < 4


def test_the_peaks_of_a_card_are_of_the_order_that_cards_have() -> None:
    found = measure_peaks("cuda:0", PeakSizes(2**30, (4096,), rounds=3, round_s=0.05))
    assert 50 < found.copy_gb_per_s < 20_000
    assert found.matrix_tflops["bfloat16"] > found.matrix_tflops["float32"] > 1
    assert found.device.startswith("GPU-")
