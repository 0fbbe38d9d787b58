"""Bytes and operations: arithmetic against torch's own count, the count against what was published."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.engines.roofline import counting
from bench.engines.roofline.demand import decode_step, prefill
from bench.engines.roofline.text_shapes import text_shape
from bench.engines.weights import architectures, random_weights
from bench.errors import UsageError


def counted(name: str, batch: int, tokens: int) -> int:
    """Operations of a prefill of the true shape, as torch counts them on the meta device.

    Without the angles of rotary embeddings, which transformers before 5.19 made a matrix product of.
    """
    (component,) = architectures.load(name).components
    model: Any = random_weights.shape_only(component)
    # Without numbers no expert can be chosen, but each token's own ones can be multiplied one by one.
    model.config._experts_implementation = "batched_mm"
    ids = torch.zeros(batch, tokens, dtype=torch.long, device="meta")
    mask = None if "Bloom" in component.class_name else torch.empty(batch, 1, tokens, tokens, device="meta")
    more = {} if component.class_name == "BertModel" else {"logits_to_keep": 1, "use_cache": False}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(input_ids=ids, attention_mask=mask, **more)
    rotary = (found for name, found in counter.get_flop_counts().items() if name.endswith(".rotary_emb"))
    return int(counter.get_total_flops()) - sum(sum(found.values()) for found in rotary)


CAUSAL = (
    *("bloom-7b1", "llama-3.1-8b", "qwen3-8b", "tiny-bloom", "tiny-llama", "deepseek-r1-distill-qwen-7b"),
    *("qwen3-30b-a3b", "gpt-oss-20b", "tiny-qwen3-moe", "tiny-gpt-oss"),
)


@pytest.mark.parametrize("name", CAUSAL)
def test_the_arithmetic_of_a_page_is_what_torch_counts(name: str) -> None:
    shape = text_shape(architectures.load(name))
    assert prefill(shape, 2, 7, 2).operations == counted(name, 2, 7)
    # A step over one token of context is a prefill of one token.
    assert decode_step(shape, 3, 1, 2).operations == prefill(shape, 3, 1, 2).operations


@pytest.mark.parametrize("name", ["bert-base", "bert-large", "tiny-bert"])
def test_the_arithmetic_of_an_encoder_is_what_torch_counts(name: str) -> None:
    shape = text_shape(architectures.load(name))
    assert prefill(shape, 2, 7, 2).operations == counted(name, 2, 7)
    embeddings = (30522 + 512) * shape.heads * shape.head_width if name != "tiny-bert" else (512 + 2048) * 64
    (component,) = architectures.load(name).components
    assert prefill(shape, 2, 7, 2).bytes == 2 * (component.parameters - embeddings)


@pytest.mark.parametrize(("name", "active"), [("qwen3-30b-a3b", 3.35e9), ("gpt-oss-20b", 3.61e9)])
def test_a_token_reads_the_experts_that_it_chooses(name: str, active: float) -> None:
    """Published: 3.3 B of 30.5 B are active in Qwen3-30B-A3B, 3.61 B of 20.91 B in gpt-oss-20b."""
    architecture = architectures.load(name)
    shape, (component,) = text_shape(architecture), architecture.components
    assert shape.experts is not None
    one = decode_step(shape, 1, 0, 1)
    embedding = component.config["vocab_size"] * component.config["hidden_size"]
    # gpt-oss-20b's card leaves out the embedding; Qwen's counts it.
    counted_in = embedding if name.startswith("qwen") else 0
    assert one.bytes + counted_in == pytest.approx(active, rel=0.01)
    many = decode_step(shape, 512, 0, 1).bytes - 512 * shape.cached_numbers * shape.layers
    assert many == pytest.approx(component.parameters - embedding, rel=1e-3)
    two = shape.experts.read(2) / shape.experts.read(1)
    assert two == pytest.approx(2 - shape.experts.chosen / shape.experts.count)


def test_half_of_the_layers_of_gpt_oss_look_back_128_tokens() -> None:
    shape = text_shape(architectures.load("gpt-oss-20b"))
    near, far, further = (decode_step(shape, 1, context, 2).bytes for context in (100, 200, 201))
    a_layer = 2 * 8 * 64 * 2
    assert far - near == a_layer * (12 * 100 + 12 * 28)
    assert further - far == a_layer * 12


def test_a_state_space_model_reads_no_more_after_a_long_text_than_after_a_short_one() -> None:
    """The projections are what torch counts; the state is 64 layers x 80 heads x 64 x 128."""
    shape = text_shape(architectures.load("mamba2-2.7b"))
    assert decode_step(shape, 1, 10, 2) == decode_step(shape, 1, 100_000, 2)
    assert shape.state == 64 * 80 * 64 * 128
    step = decode_step(shape, 1, 10, 2)
    assert step.operations == pytest.approx(2 * 2702599680 + 4 * shape.state, rel=0.001)
    assert step.bytes == pytest.approx(2 * 2702599680 + 4 * shape.state, rel=0.02)
    beside_state = prefill(shape, 1, 7, 2).operations - 7 * 4 * shape.state
    assert beside_state == pytest.approx(counted_mamba(7), rel=0.002)


def counted_mamba(tokens: int) -> int:
    """Operations of all projections and convolutions, which torch counts; those on the state it does not."""
    (component,) = architectures.load("mamba2-2.7b").components
    model: Any = random_weights.shape_only(component)
    linear = sum(
        2 * module.weight.numel() * (1 if name == "lm_head" else tokens)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | torch.nn.Conv1d)
    )
    return int(linear)


@pytest.mark.parametrize(
    "name", [name for name in architectures.names() if architectures.load(name).kind in ("text", "embedding")]
)
def test_every_stored_shape_has_its_arithmetic_or_latent_attention(name: str) -> None:
    shape = architectures.load(name)
    if "Deepseek" in shape.components[0].class_name:
        with pytest.raises(UsageError, match="is not known here"):
            text_shape(shape)
        return
    step = decode_step(text_shape(shape), 1, 10, 2)
    counted_numbers = shape.components[0].parameters
    assert 0 < step.bytes < 3 * counted_numbers  # a state beside the weights, in the tiniest
    assert 0 < step.operations < 2.2 * counted_numbers


@pytest.mark.parametrize("name", ["deepseek-v2-lite", "deepseek-v3.2"])
def test_latent_attention_has_no_arithmetic_here_and_that_is_said(name: str) -> None:
    with pytest.raises(UsageError, match=r"arithmetic of DeepseekV\d+ForCausalLM is not known"):
        text_shape(architectures.load(name))


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
