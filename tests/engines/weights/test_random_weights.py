"""Random numbers in the true shape: counts, ties, dtypes, buffers, and no zeros."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from bench.engines.weights import architectures, random_weights
from bench.engines.weights.architectures import Component
from bench.errors import EngineError


def component(name: str, part: str) -> Component:
    return next(one for one in architectures.load(name).components if one.name == part)


@pytest.mark.parametrize("name", architectures.names())
def test_parameter_counts_are_the_stated_ones(name: str) -> None:
    for part in architectures.load(name).components:
        assert random_weights.count(part) == part.parameters, part.name


@pytest.mark.parametrize(
    ("name", "part", "billions"),
    [
        ("bloom-560m", "model", 0.5592),
        ("bloom-176b", "model", 176.2),
        ("bloom-1b7", "model", 1.722),
        ("qwen3-30b-a3b", "model", 30.53),
        ("gpt-oss-20b", "model", 20.91),
        ("deepseek-v3.2", "model", 671.9),
        ("deepseek-v2-lite", "model", 15.71),
        ("deepseek-r1-distill-qwen-7b", "model", 7.616),
        ("mamba2-2.7b", "model", 2.702),
        ("mamba-codestral-7b", "model", 7.285),
        ("llama-3.1-8b", "model", 8.03),
        ("stable-diffusion-1.5", "unet", 0.8595),
        ("sdxl", "unet", 2.567),
        ("sd3.5-medium", "transformer", 2.243),
        ("flux.1-dev", "transformer", 11.90),
        ("flux.2-dev", "transformer", 32.2),
        ("flux.1-kontext-dev", "transformer", 11.90),
        ("instruct-pix2pix", "unet", 0.8595),
        ("sd-x4-upscaler", "unet", 0.473),
        ("sam-vit-base", "network", 0.0937),
        ("sam-vit-huge", "network", 0.641),
        ("wan-2.1-t2v-1.3b", "transformer", 1.419),
        ("wan-2.1-t2v-14b", "transformer", 14.29),
        ("wan-2.1-t2v-14b", "text_encoder", 5.681),
        ("cogvideox-2b", "transformer", 1.694),
        ("cogvideox-5b", "transformer", 5.570),
        ("ltx-video", "transformer", 1.923),
        ("mochi-1", "transformer", 10.03),
        ("ip-adapter-sd1.5", "ip_adapter", 0.0223),  # a file of 44.6 MB in fp16
        ("ip-adapter-sdxl", "ip_adapter", 0.349),  # 698 MB
        ("ip-adapter-sd1.5", "image_encoder", 0.632),
        ("speecht5", "model", 0.1444),
        ("speecht5", "vocoder", 0.01266),  # 50.6 MB in fp32
    ],
)
def test_stated_counts_are_the_published_ones(name: str, part: str, billions: float) -> None:
    assert component(name, part).parameters / 1e9 == pytest.approx(billions, rel=2e-3)


@pytest.mark.parametrize(
    ("name", "part", "millions"),
    [
        ("whisper-tiny", "model", 39),
        ("whisper-base", "model", 74),
        ("whisper-small", "model", 244),
        ("whisper-medium", "model", 769),
        ("whisper-large-v3", "model", 1550),
        ("whisper-large-v3-turbo", "model", 809),
        ("mms-tts-eng", "model", 36.3),
        ("audioldm2", "unet", 350),
        ("stable-audio-open-1.0", "transformer", 1057),
        ("stable-audio-open-1.0", "vae", 156),
    ],
)
def test_counts_of_sound_are_what_the_cards_round(name: str, part: str, millions: float) -> None:
    assert component(name, part).parameters / 1e6 == pytest.approx(millions, rel=0.035)


def test_a_signal_keeps_its_strength_through_weight_norms_and_codes_are_no_zeros() -> None:
    part = component("tiny-musicgen", "model")
    codec: Any = random_weights.build(part, torch.float32, "cpu", seed=0)
    codec = codec.audio_encoder
    books = [layer.codebook.embed for layer in codec.quantizer.layers]
    assert all(book.std().item() == pytest.approx(0.02, rel=0.1) for book in books)
    heard = codec.decode(torch.arange(40).expand(1, 1, 4, 40), [None]).audio_values
    assert 0.2 < heard.std().item() / books[0].std().item() < 20


@pytest.mark.parametrize("name", ["tiny-bloom", "tiny-llama"])
def test_ties_dtype_and_numbers(name: str) -> None:
    model = random_weights.build(component(name, "model"), torch.bfloat16, "cpu", seed=3)
    assert isinstance(model, transformers.PreTrainedModel)
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    tied = model.get_input_embeddings().weight is head.weight
    assert tied == (name == "tiny-bloom")
    for path, parameter in model.named_parameters():
        assert parameter.dtype == torch.bfloat16
        assert parameter.device.type == "cpu"
        assert not parameter.isnan().any()
        if parameter.dim() >= 2:
            assert parameter.float().std().item() == pytest.approx(0.02, rel=0.1), path
            assert parameter.float().mean().abs().item() < 0.002, path
        elif "bias" not in path:
            assert (parameter == 1).all(), path


def test_buffers_are_those_of_the_class_itself() -> None:
    part = component("tiny-llama", "model")
    ours = dict(random_weights.build(part, torch.bfloat16, "cpu", seed=0).named_buffers())
    config = transformers.LlamaConfig(**part.config)
    model: Any = transformers.LlamaForCausalLM
    theirs = dict(model._from_config(config, dtype=torch.bfloat16).named_buffers())
    assert ours.keys() == theirs.keys()
    for name, buffer in theirs.items():
        assert ours[name].dtype == buffer.dtype
        assert torch.equal(ours[name], buffer)


def test_the_seed_decides_the_numbers() -> None:
    part = component("tiny-llama", "model")
    one, same, other = (
        torch.cat([p.flatten() for p in random_weights.build(part, torch.float32, "cpu", seed).parameters()])
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_rows_of_a_large_matrix_do_not_repeat() -> None:
    # Larger than the block of drawn numbers, so that it is tiled.
    large = torch.nn.Linear(2048, 2048, bias=False)
    random_weights.fill(large, torch.float32, {"": "cpu"}, seed=0)
    assert torch.unique(large.weight, dim=0).shape == (2048, 2048)


def test_what_a_library_keeps_in_fp32_stays_there() -> None:
    config = {"vocab_size": 64, "d_model": 16, "d_kv": 4, "d_ff": 32, "num_layers": 1, "num_heads": 4}
    part = Component("t5", "transformers", "T5EncoderModel", {**config, "feed_forward_proj": "gated-gelu"}, 0)
    part = Component(part.name, part.library, part.class_name, part.config, random_weights.count(part))
    half = random_weights.build(part, torch.float16, "cpu", seed=0)
    dtypes = {name: parameter.dtype for name, parameter in half.named_parameters()}
    assert {dtype for name, dtype in dtypes.items() if ".wo." in name} == {torch.float32}
    assert {dtype for name, dtype in dtypes.items() if ".wo." not in name} == {torch.float16}
    brain = random_weights.build(part, torch.bfloat16, "cpu", seed=0)
    assert {parameter.dtype for parameter in brain.parameters()} == {torch.bfloat16}


def test_a_library_that_builds_another_size_is_noticed() -> None:
    part = component("tiny-llama", "model")
    wrong = Component(part.name, part.library, part.class_name, part.config, part.parameters + 1)
    with pytest.raises(EngineError, match="comes out with 139584 parameters, not 139585"):
        random_weights.build(wrong, torch.float32, "cpu", seed=0)


def test_a_device_map_is_followed_by_its_longest_entry() -> None:
    device_map = {"": 0, "model.layers.1": 1, "model.layers.1.mlp": 2}
    names = (
        "lm_head.weight",
        "model.layers.1.norm.weight",
        "model.layers.1.mlp.up.weight",
        "model.layers.10.w",
    )
    assert [random_weights._device_of(name, device_map) for name in names] == [0, 1, 2, 0]
