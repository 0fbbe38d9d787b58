"""Linear layers in fewer bits: what is stored, what is refused before loading, and how near the output is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.core.modalities.video import VideoOptions
from bench.core.modality import Options, Quantization
from bench.dependencies import install_command
from bench.engines import create
from bench.engines.device import quantized
from bench.errors import EngineError
from tests.engines.conftest import IMAGE, PROMPTS, TEXT, Loader, changed, spec

METHODS: tuple[Quantization, ...] = ("bnb-4bit", "bnb-8bit", "torchao-int8", "torchao-fp8")
FILM = VideoOptions(frames=9, fps=16, width=64, height=64, steps=1)
STORED = {"bnb-4bit": "uint8", "bnb-8bit": "int8", "torchao-int8": "int8", "torchao-fp8": "float8_e4m3fn"}

packages = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("torchao", "bitsandbytes"))),
    reason="scripts/setup quant installs what quantises",
)


def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(256, 256), torch.nn.LayerNorm(256), torch.nn.Linear(256, 64))


@packages
@pytest.mark.parametrize(("method", "off"), list(zip(METHODS, (0.15, 0.02, 0.02, 0.06), strict=True)))
def test_a_quantised_network_answers_nearly_as_the_plain_one(method: Quantization, off: float) -> None:
    given = torch.randn(8, 256, generator=torch.Generator().manual_seed(1))
    plain, fewer = network(), network()
    asked = spec(options=changed(TEXT, quantization=method))
    used = quantized.quantise([fewer], changed(TEXT, quantization=method), asked)
    with torch.inference_mode():
        one, other = plain(given), fewer(given)
    error = float((one - other).norm() / one.norm())
    assert 1e-5 < error < off  # of the norm: something is rounded, and not much
    assert used["quantization"]["layers"] == 2
    assert isinstance(fewer[1], torch.nn.LayerNorm)
    assert fewer[1].weight.dtype == torch.float32


@packages
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("architecture", ["tiny-llama", "tiny-bloom"])
def test_pages_of_a_quantised_model_have_its_numbers_in_less_memory(
    loaded: Loader, architecture: str, method: Quantization
) -> None:
    plain = create(spec(architecture, dtype="bfloat16")).load()
    asked = spec(architecture, changed(TEXT, quantization=method), dtype="bfloat16")
    ready = create(asked).load()
    assert ready.parameters == plain.parameters
    assert ready.dtypes == {"model": STORED[method]}
    assert ready.memory_bytes is not None
    assert plain.memory_bytes is not None
    numbers = plain.parameters["model"] * ready.used["quantization"]["share_of_numbers"]
    saved = {"bnb-4bit": 2 - 0.5 - 4 / 64}.get(method, 1.0)
    assert plain.memory_bytes - ready.memory_bytes == pytest.approx(
        numbers * saved, rel=0.08
    )  # less the scales
    engine = loaded(asked)
    found = engine.inspect(engine.generate(PROMPTS, seed=0))
    assert (found.tokens, found.problems) == ((12, 12), ())


@packages
def test_weights_of_a_folder_are_quantised_as_random_ones_are(loaded: Loader, text_folder: Path) -> None:
    engine = loaded(spec(options=changed(TEXT, quantization="torchao-int8"), folder=text_folder))
    assert engine.inspect(engine.generate(PROMPTS, seed=0)).tokens == (12, 12)


@packages
@pytest.mark.parametrize(
    ("architecture", "options", "denoiser"),
    [("tiny-stable-diffusion", IMAGE, "unet"), ("tiny-wan", FILM, "transformer")],
)
def test_a_pipelines_denoiser_and_encoder_are_quantised_and_its_vae_is_not(
    loaded: Loader, architecture: str, options: Options, denoiser: str
) -> None:
    asked = spec(architecture, changed(options, quantization="torchao-int8"), batch=1)
    engine: Any = loaded(asked)
    parts = engine._loaded.modules
    kinds = {
        name: {type(parameter).__name__ for parameter in parts[name].parameters()}
        for name in (denoiser, "text_encoder", "vae")
    }
    assert "Int8Tensor" in kinds[denoiser] & kinds["text_encoder"]
    assert kinds["vae"] == {"Parameter"}
    assert engine.inspect(engine.generate(PROMPTS[:1], seed=0)).problems == ()


def refused(options: Options, architecture: str = "tiny-llama", **more: Any) -> EngineError:
    with pytest.raises(EngineError) as caught:
        create(spec(architecture, options, **more)).load()
    return caught.value


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    error = refused(changed(TEXT, quantization="bnb-4bit"))
    assert error.missing
    assert error.message == "The package bitsandbytes is not installed, and quantization bnb-4bit needs it."
    assert error.remedy == f"Install it with: {install_command('quant')}"


@pytest.mark.parametrize(
    ("method", "has", "needs"),
    [("torchao-fp8", (8, 0), "8.9"), ("torchao-int8", (7, 5), "8.0"), ("bnb-8bit", (7, 0), "7.5")],
)
def test_a_card_that_cannot_do_it_is_refused_before_loading(
    monkeypatch: pytest.MonkeyPatch, method: Quantization, has: tuple[int, int], needs: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: has)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "A card")
    with pytest.raises(EngineError) as caught:
        quantized.require(changed(TEXT, quantization=method), ("cuda:0",))
    assert caught.value.message == (
        f"quantization {method} needs a card of compute capability {needs}, and A card has {has[0]}.{has[1]}."
    )
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    quantized.require(changed(TEXT, quantization=method), ("cuda:0",))


def test_several_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(EngineError, match="puts a model on one device, not on 2"):
        quantized.require(changed(TEXT, quantization="bnb-4bit"), ("cuda:0", "cuda:1"))


def test_a_network_without_linear_layers_is_refused() -> None:
    with pytest.raises(EngineError, match="has no linear layer that quantization could change"):
        quantized.quantise([torch.nn.Conv2d(1, 1, 1)], changed(TEXT, quantization="bnb-4bit"), spec())


def test_one_network_in_one_pass_is_not_quantised() -> None:
    options = changed(IMAGE, task="noise", steps=1, quantization="torchao-int8")
    assert "nothing that quantization could change" in refused(options, "tiny-stylegan2").message
