"""Each published image architecture, made small, really runs: its pipeline, its tokenizers, its phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bench.engines.weights import architectures, random_weights
from bench.engines.weights.architectures import Architecture
from bench.errors import EngineError
from tests.engines.conftest import IMAGE, PROMPTS, Loader, changed, spec

CLIP = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "projection_dim": 32,
}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
LLM = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
}
VAE = {"block_out_channels": [8, 8, 8, 8], "norm_num_groups": 4, "layers_per_block": 1}
UNET = {
    "block_out_channels": [32, 32, 64, 64],
    "layers_per_block": 1,
    "cross_attention_dim": 32,
    "attention_head_dim": 4,
}
DIT = {"num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 16}
FLUX2 = DIT | {"num_single_layers": 2, "axes_dims_rope": [4, 4, 4, 4], "joint_attention_dim": 96}
FLUX1 = DIT | {
    "num_single_layers": 2,
    "axes_dims_rope": [4, 6, 6],
    "joint_attention_dim": 32,
    "pooled_projection_dim": 32,
}
SD3 = DIT | {
    "joint_attention_dim": 64,
    "caption_projection_dim": 32,
    "pooled_projection_dim": 64,
    "pos_embed_max_size": 16,
}
SANA = DIT | {
    "num_cross_attention_heads": 2,
    "cross_attention_head_dim": 16,
    "cross_attention_dim": 32,
    "caption_channels": 32,
}
DC_AE = {
    "encoder_block_out_channels": [8, 8, 8, 32, 32, 32],
    "decoder_block_out_channels": [8, 8, 8, 32, 32, 32],
    "attention_head_dim": 8,
    "encoder_layers_per_block": [1] * 6,
    "decoder_layers_per_block": [1] * 6,
}
SMALL: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "stable-diffusion-1.5": {"text_encoder": CLIP, "unet": UNET, "vae": VAE},
    "stable-diffusion-2.1": {"text_encoder": CLIP, "unet": UNET, "vae": VAE},
    "sdxl": {
        "text_encoder": CLIP,
        "text_encoder_2": CLIP,
        "unet": {
            "block_out_channels": [32, 32, 64],
            "attention_head_dim": [2, 2, 4],
            "transformer_layers_per_block": [1, 1, 1],
            "layers_per_block": 1,
            "cross_attention_dim": 64,
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 80,
        },
        "vae": VAE,
    },
    "sd3.5-medium": {
        "text_encoder": CLIP,
        "text_encoder_2": CLIP,
        "text_encoder_3": T5 | {"d_model": 64},
        "transformer": SD3 | {"dual_attention_layers": [0]},
        "vae": VAE,
    },
    "sd3.5-large": {
        "text_encoder": CLIP,
        "text_encoder_2": CLIP,
        "text_encoder_3": T5 | {"d_model": 64},
        "transformer": SD3,
        "vae": VAE,
    },
    "flux.1-dev": {"text_encoder": CLIP, "text_encoder_2": T5, "transformer": FLUX1, "vae": VAE},
    "flux.1-schnell": {"text_encoder": CLIP, "text_encoder_2": T5, "transformer": FLUX1, "vae": VAE},
    "pixart-sigma": {
        "text_encoder": T5,
        "transformer": DIT | {"cross_attention_dim": 32, "caption_channels": 32},
        "vae": VAE,
    },
    "sana-1.6b": {"text_encoder": LLM, "transformer": SANA, "vae": DC_AE},
    # FLUX.2 takes hidden states from the middle of its encoder, so that one keeps its depth.
    "flux.2-klein-4b": {
        "text_encoder": LLM | {"num_hidden_layers": 28, "vocab_size": 151936},
        "transformer": FLUX2,
        "vae": VAE,
    },
    "flux.2-dev": {
        "text_encoder": {
            "text_config": LLM | {"model_type": "mistral", "num_hidden_layers": 31, "vocab_size": 131072},
            "vision_config": LLM | {"model_type": "pixtral", "num_hidden_layers": 1},
        },
        "transformer": FLUX2,
        "vae": VAE,
    },
}
PICTURE_ENCODER = CLIP | {"image_size": 28, "projection_dim": 16}
EDITS: Mapping[str, tuple[str, Mapping[str, Mapping[str, Any]]]] = {
    "stable-diffusion-inpainting": ("inpaint", {"text_encoder": CLIP, "unet": UNET, "vae": VAE}),
    "instruct-pix2pix": ("instruction", {"text_encoder": CLIP, "unet": UNET, "vae": VAE}),
    "flux.1-kontext-dev": ("instruction", SMALL["flux.1-dev"]),
    "sd-x4-upscaler": (
        "upscale",
        {"text_encoder": CLIP, "unet": UNET, "vae": VAE | {"block_out_channels": [8, 8, 8]}},
    ),
    # Numbers of the adapter for each attention over the text: those on the way down, up, and in the middle.
    "ip-adapter-sd1.5": (
        "style",
        {
            **SMALL["stable-diffusion-1.5"],
            "image_encoder": PICTURE_ENCODER,
            "ip_adapter": {
                "picture_width": 16,
                "text_width": 32,
                "layers": [[2, 32], [3, 64], [4, 32], [1, 64]],
            },
        },
    ),
    "ip-adapter-sdxl": (
        "style",
        {
            **SMALL["sdxl"],
            "image_encoder": PICTURE_ENCODER,
            "ip_adapter": {
                "picture_width": 16,
                "text_width": 64,
                "layers": [[1, 32], [3, 64], [2, 32], [1, 64]],
            },
        },
    ),
    "dit-xl-2-256": ("class", {"transformer": DIT | {"sample_size": 8}, "vae": VAE}),
}
"""The task of a model that makes images of something else than a text, and its small numbers."""
GUIDANCE = {
    "flux.1-dev": 3.5,
    "flux.1-schnell": None,
    "flux.2-klein-4b": None,
    "flux.2-dev": 4.0,
    "sana-1.6b": 4.5,
    "sd3.5-large": 7.0,
}


def shrunk(whole: Architecture) -> Architecture:
    """The same classes and tokenizers with a few small numbers in their configurations."""
    parts = []
    for part in whole.components:
        numbers = SMALL[whole.name] if whole.name in SMALL else EDITS[whole.name][1]
        small = replace(part, config={**part.config, **numbers[part.name]})
        parts.append(replace(small, parameters=random_weights.count(small)))
    return replace(whole, components=tuple(parts))


def test_every_published_image_architecture_is_tried() -> None:
    shapes = [architectures.load(name) for name in architectures.names()]
    images = {shape.name for shape in shapes if shape.kind == "image" and shape.pipeline is not None}
    assert {name for name in images if not name.startswith("tiny-")} == {*SMALL, *EDITS}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_runs(loaded: Loader, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    small = shrunk(architectures.load(name))
    monkeypatch.setattr(architectures, "load", lambda _: small)
    # SDXL does 0.3 of the steps on a picture: with four, one is left.
    engine = loaded(spec(name, changed(IMAGE, steps=4, task=EDITS[name][0]), dtype="bfloat16"))
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    assert [phase.name for phase in made.phases][-2:] == ["denoise", "vae"]


@pytest.mark.parametrize("name", ["flux.2-klein-4b", "sd3.5-medium"])
@pytest.mark.parametrize("task", ["image-to-image", "instruction"])
def test_networks_of_images_from_texts_edit_too(
    loaded: Loader, monkeypatch: pytest.MonkeyPatch, name: str, task: str
) -> None:
    """FLUX.2 edits by instruction with its own pipeline, Stable Diffusion 3.5 from a picture."""
    small = shrunk(architectures.load(name))
    monkeypatch.setattr(architectures, "load", lambda _: small)
    asked = spec(name, changed(IMAGE, steps=4, task=task), dtype="bfloat16")
    if (name == "flux.2-klein-4b") != (task == "instruction"):
        with pytest.raises(EngineError, match=f"cannot do the task {task}"):
            loaded(asked)
        return
    engine = loaded(asked)
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    assert "vae_encode" in {phase.name for phase in made.phases}


@pytest.mark.parametrize("name", SMALL)
def test_the_family_runs(loaded: Loader, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    small = shrunk(architectures.load(name))
    monkeypatch.setattr(architectures, "load", lambda _: small)
    # fp16 is where SDXL upcasts its VAE and T5 keeps some of its matrices in fp32.
    engine = loaded(spec(name, IMAGE, dtype="float16" if name in ("sdxl", "pixart-sigma") else "bfloat16"))
    made = engine.generate(PROMPTS, 0)
    assert engine.inspect(made).problems == ()
    assert [phase.name for phase in made.phases] == ["text_encoder", "denoise", "vae"]


def test_a_prompt_has_the_length_that_the_case_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """FLUX.1-schnell's card calls for at most 256 tokens; diffusers' own default is 512."""
    from bench.engines.image import ImageEngine

    small = shrunk(architectures.load("flux.1-schnell"))
    monkeypatch.setattr(architectures, "load", lambda _: small)
    seen: list[int] = []
    for tokens in (None, 256):
        options = changed(IMAGE, text_tokens=tokens)
        engine = ImageEngine(spec("flux.1-schnell", options, dtype="bfloat16"), options)
        used = engine.load().used
        engine._ready().denoiser.register_forward_pre_hook(
            lambda _module, _args, named: seen.append(named["encoder_hidden_states"].shape[1]),
            with_kwargs=True,
        )
        assert engine.inspect(engine.generate(PROMPTS, 0)).problems == ()
        assert used.get("text_tokens") == tokens
        engine.unload()
    assert set(seen) == {512, 256}


def test_a_pipeline_without_such_a_length_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench.engines import create

    small = shrunk(architectures.load("sdxl"))
    monkeypatch.setattr(architectures, "load", lambda _: small)
    with pytest.raises(EngineError, match="takes no length of prompts"):
        create(spec("sdxl", changed(IMAGE, text_tokens=256))).load()


@pytest.mark.parametrize("name", GUIDANCE)
def test_guidance_is_none_where_the_model_ignores_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    from bench.engines import create

    small = shrunk(architectures.load(name))
    monkeypatch.setattr(architectures, "load", lambda _: small)
    ready = create(spec(name, changed(IMAGE, guidance=None))).load()
    assert ready.used["guidance"] == GUIDANCE[name]
