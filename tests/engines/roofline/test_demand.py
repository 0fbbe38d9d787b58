"""Bytes and operations: arithmetic against torch's own count, the count against what was published."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.engines.roofline import counting
from bench.engines.roofline.demand import decode_step, prefill, text_shape
from bench.engines.weights import architectures, random_weights
from bench.errors import UsageError


def counted(name: str, batch: int, tokens: int) -> int:
    """Operations of a prefill of the true shape, as torch counts them on the meta device."""
    (component,) = architectures.load(name).components
    model: Any = random_weights.shape_only(component)
    ids = torch.zeros(batch, tokens, dtype=torch.long, device="meta")
    mask = None if "Bloom" in component.class_name else torch.empty(batch, 1, tokens, tokens, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(input_ids=ids, attention_mask=mask, logits_to_keep=1, use_cache=False)
    return int(counter.get_total_flops())


@pytest.mark.parametrize("name", ["bloom-7b1", "llama-3.1-8b", "qwen3-8b", "tiny-bloom", "tiny-llama"])
def test_the_arithmetic_of_a_page_is_what_torch_counts(name: str) -> None:
    shape = text_shape(architectures.load(name))
    assert prefill(shape, 2, 7, 2).operations == counted(name, 2, 7)
    # A step over one token of context is a prefill of one token.
    assert decode_step(shape, 3, 1, 2).operations == prefill(shape, 3, 1, 2).operations


def test_a_token_of_a_large_model_takes_two_operations_and_two_bytes_a_parameter() -> None:
    """Kaplan et al. 2020 (arXiv:2001.08361): 2N operations a token; a bf16 number is two bytes."""
    step = decode_step(text_shape(architectures.load("bloom-7b1")), 1, 1, 2)
    assert step.operations == pytest.approx(2 * 7069016064, rel=0.001)
    assert step.bytes == pytest.approx(2 * 7069016064, rel=0.001)


def test_the_cache_of_llama_is_what_its_heads_say() -> None:
    """128 KiB a token: 2 x 32 layers x 8 heads x 128 x 2 bytes; its embedding is not read as a whole."""
    shape = text_shape(architectures.load("llama-3.1-8b"))
    one, two = (decode_step(shape, 1, context, 2).bytes for context in (1000, 1001))
    assert two - one == 128 * 1024
    assert decode_step(shape, 1, 0, 2).bytes == pytest.approx(2 * (8030261248 - 128256 * 4096), rel=0.001)


def test_a_batch_reads_the_weights_once() -> None:
    shape = text_shape(architectures.load("bloom-7b1"))
    alone, many = decode_step(shape, 1, 200, 2), decode_step(shape, 8, 200, 2)
    assert many.operations == 8 * alone.operations
    assert many.bytes < 1.1 * alone.bytes


def test_a_class_without_arithmetic_is_said() -> None:
    with pytest.raises(UsageError, match="arithmetic of UNet2DConditionModel is not known"):
        text_shape(_only("tiny-sdxl", "unet"))


def _only(name: str, part: str) -> architectures.Architecture:
    found = architectures.load(name)
    (component,) = (each for each in found.components if each.name == part)
    return architectures.Architecture(name, "text", "", (component,), ())


def test_a_pass_of_a_unet_is_what_torch_counts() -> None:
    component = next(part for part in architectures.load("tiny-sdxl").components if part.name == "unet")
    unet: Any = random_weights.shape_only(component)
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        added = {"text_embeds": torch.empty(2, 32), "time_ids": torch.empty(2, 6)}
        unet(torch.empty(2, 4, 8, 8), torch.empty(()), torch.empty(2, 77, 64), added_cond_kwargs=added)
    assert counting.denoiser_pass("tiny-sdxl", 2, 64, 64, "float32").operations == counter.get_total_flops()


def test_a_shorter_prompt_is_less_work() -> None:
    """256 tokens beside 4,096 patches in place of 512: about 6 % less work a step."""
    long, short = (
        counting.denoiser_pass("flux.1-schnell", 1, 1024, 1024, "bfloat16", tokens) for tokens in (None, 256)
    )
    assert 0.92 < short.operations / long.operations < 0.96
    alike = counting.denoiser_pass("flux.1-schnell", 1, 1024, 1024, "bfloat16", 512)
    assert alike.operations == long.operations
    three = counting.denoiser_pass("sd3.5-medium", 1, 1024, 1024, "bfloat16", 256)
    assert three.operations == counting.denoiser_pass("sd3.5-medium", 1, 1024, 1024, "bfloat16").operations


def test_a_step_of_flux_is_its_arithmetic() -> None:
    """57 blocks of 12 h² numbers a token, and attention over 4096 patches and 512 tokens of text."""
    found = counting.denoiser_pass("flux.1-dev", 1, 1024, 1024, "bfloat16")
    tokens, width, blocks = 4096 + 512, 3072, 19 + 38
    products = 2 * 12 * width**2 * tokens * blocks
    attention = 4 * tokens**2 * width * blocks
    assert found.operations == pytest.approx(products + attention, rel=0.002)
    assert found.bytes > 2 * 11901408320


def test_more_items_move_the_weights_once() -> None:
    one, four = (counting.denoiser_pass("tiny-sdxl", batch, 64, 64, "bfloat16") for batch in (1, 4))
    assert four.operations == 4 * one.operations
    assert one.bytes < four.bytes < 4 * one.bytes
    assert counting.vae_decode("tiny-sdxl", 4, 64, 64, "bfloat16").operations > 0
