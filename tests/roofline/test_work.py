"""The work of phases: of pages that are read and of experts; and where none is counted, the reason."""

from __future__ import annotations

from typing import Any

from bench.core.block import Phase
from bench.engines.roofline.demand import Demand
from bench.engines.weights import architectures
from bench.roofline.work import demands
from tests.support import factory


def test_the_work_of_an_edit_is_not_counted_as_that_of_an_image_from_a_text() -> None:
    name = "tiny-stable-diffusion"
    phase = Phase(seconds=1.0, count=1, energy={factory.GPU: factory.energy(10.0)})
    blocks = [factory.block(10.0, phases=dict.fromkeys(("text_encoder", "denoise", "vae"), phase))]
    engine = {"parameters": architectures.load(name).parameters, "used": {}, "device_uuids": []}
    options = {"width": 64, "height": 64, "steps": 4}
    found = {}
    for task in (None, "image-to-image"):
        asked = options if task is None else options | {"task": task}
        case = factory.case(model=name, engine="image", unit="image", options=asked)
        found[task] = demands(factory.record(blocks=blocks, case=case, engine=engine), name, blocks)
    assert isinstance(found[None]["denoise"], Demand)
    assert set(found["image-to-image"].values()) == {"the work of the task image-to-image is not counted"}


def _demands(
    name: str, case: dict[str, Any], phases: tuple[str, ...], tokens: int
) -> dict[str, Demand | str]:
    phase = Phase(seconds=1.0, count=1, energy={factory.GPU: factory.energy(10.0)})
    observed = {"prompt_tokens": tokens}
    blocks = [factory.block(10.0, items=4, phases=dict.fromkeys(phases, phase), observed=observed)]
    engine = {"parameters": architectures.load(name).parameters, "used": {}, "device_uuids": []}
    record = factory.record(blocks=blocks, case=factory.case(model=name, **case), engine=engine)
    return demands(record, name, blocks)


def test_a_page_that_is_read_is_one_pass_of_the_encoder() -> None:
    """Four batches of one item: 2 operations a number and token in the layers, and attention over 340²."""
    asked = {"engine": "embedding", "unit": "read_page", "options": {"input_tokens": 340}}
    found = _demands("bert-base", asked, ("encoder",), 1360)["encoder"]
    assert isinstance(found, Demand)
    layers = 12 * 12 * 768**2
    one = 2 * layers * 340 + 4 * 12 * 768 * 340**2 + 2 * 768**2
    assert found.operations == 4 * one
    assert found.bytes == 4 * 2 * (109482240 - (30522 + 512) * 768)


def test_a_latent_attention_is_said_to_be_uncounted() -> None:
    found = _demands("deepseek-v2-lite", {}, ("prefill", "decode"), 160)
    assert set(found.values()) == {"The arithmetic of DeepseekV2ForCausalLM is not known here."}


def test_a_step_of_experts_reads_those_of_its_batch() -> None:
    found = _demands("qwen3-30b-a3b", {}, ("prefill", "decode"), 160)["decode"]
    assert isinstance(found, Demand)
    assert 2 * 3.0e9 < found.bytes / (4 * 339) < 2 * 3.2e9
