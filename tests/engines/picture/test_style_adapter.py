"""IP-Adapter: a style picture changes the output, a local copy loads, and what cannot be is refused."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.core.weights import Weights
from bench.engines import create
from bench.engines.picture import drawn, image_loading, style_adapter
from bench.engines.weights import architectures, hub, random_weights
from bench.errors import EngineError
from tests.engines.conftest import IMAGE, Loader, changed, spec

STYLE = changed(IMAGE, steps=2, task="style", strength=1.0)
NAME = "tiny-ip-adapter"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local copy: the pipeline, and the adapter in its published format beside it."""
    folder = tmp_path_factory.mktemp("styled")
    plain = changed(IMAGE, task=None)
    image_loading.load(spec("tiny-stable-diffusion", plain), plain).pipe.save_pretrained(folder)
    parts = {one.name: one for one in architectures.load(NAME).components}
    encoder: Any = random_weights.build(parts["image_encoder"], torch.float32, "cpu", 3)
    encoder.save_pretrained(folder / "image_encoder")
    numbers: Any = random_weights.build(parts["ip_adapter"], torch.float32, "cpu", 4)
    (folder / "ip_adapter").mkdir()
    flat = {f"{group}.{key}": value for group, of in numbers.parts().items() for key, value in of.items()}
    save_file(flat, folder / "ip_adapter" / "ip-adapter_tiny.safetensors")
    return folder


def pixels(loaded: Loader, wanted: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    found: np.ndarray[Any, np.dtype[np.uint8]] = (
        loaded(wanted).generate(["A cat", "A dog on a hill"], 0).payload.pixels
    )
    return found


def test_the_style_picture_decides_the_output_and_nothing_else_does(loaded: Loader, tmp_path: Path) -> None:
    drawn.source(64, 64).save(tmp_path / "other.png")
    drawn.style(64, 64).save(tmp_path / "drawn.png")
    of = [None, str(tmp_path / "drawn.png"), str(tmp_path / "other.png")]
    usual, same, other = (
        pixels(loaded, spec(NAME, changed(STYLE, style_picture=file), dtype="float32")) for file in of
    )
    assert (usual == same).all()
    assert (usual != other).any()


def test_the_adapter_is_read_back_from_the_pipeline() -> None:
    ready = create(spec(NAME, STYLE)).load()
    stated = architectures.load(NAME).parameters
    assert ready.parameters["unet"] == stated["unet"] + stated["ip_adapter"]
    assert ready.parameters["image_encoder"] == stated["image_encoder"]
    assert ready.used["adapter"] == "IP-Adapter"
    assert ready.used["adapter_scale"] == [1.0]
    assert "IPAdapterAttnProcessor2_0" in ready.used["attention"]
    assert ready.used["style_picture"] == "drawn"


def test_a_local_copy_is_loaded_with_its_adapter(stored: Path, loaded: Loader) -> None:
    engine: Any = loaded(spec("", STYLE, folder=stored))
    made = engine.generate(["A cat"], 0)
    assert [phase.name for phase in made.phases] == [
        *("text_encoder", "image_encoder", "vae_encode"),
        *("denoise", "vae"),
    ]
    numbers = engine._loaded.pipe.unet.encoder_hid_proj.image_projection_layers[0].image_embeds.weight
    component = next(one for one in architectures.load(NAME).components if one.name == "ip_adapter")
    built: Any = random_weights.build(component, numbers.dtype, "cpu", 4)
    assert (numbers == built.image_proj["proj"].weight).all()


def test_a_copy_with_two_adapters_is_refused(stored: Path, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    shutil.copytree(stored, folder)
    (one,) = (folder / "ip_adapter").iterdir()
    shutil.copy(one, one.with_name("second.safetensors"))
    with pytest.raises(EngineError, match=r"has 2 \.safetensors files\. Put one adapter there\."):
        create(spec("", STYLE, folder=folder)).load()


@pytest.mark.parametrize(
    ("options", "more", "says"),
    [
        ({"task": None, "strength": None}, {}, "cannot do the task text to image. Use the task style."),
        ({"task": "inpaint"}, {}, "cannot do the task inpaint. Use the task style."),
        ({"fuse_qkv": True}, {}, "cannot be used with fuse_qkv. Leave out fuse_qkv."),
        ({"quantization": "bnb-8bit"}, {}, "cannot be used with quantization."),
        ({}, {"devices": ("cpu", "cpu")}, "runs on one device, not on 2. Name one card with --gpus."),
        ({"style_picture": "nowhere.png"}, {}, "The style picture nowhere.png cannot be used"),
    ],
)
def test_what_an_adapter_cannot_do_is_one_sentence(
    options: dict[str, Any], more: dict[str, Any], says: str
) -> None:
    with pytest.raises(EngineError) as caught:
        create(spec(NAME, changed(STYLE, **options), **more)).load()
    assert says in str(caught.value)


def test_a_hub_model_without_its_components_names_the_key() -> None:
    weights = Weights(kind="hub", hub_id="some/model", revision="main")
    assert not style_adapter.is_adapted(weights)
    asked = replace(spec(NAME, STYLE), weights=weights)
    with pytest.raises(EngineError, match=r"Name its repository under components\.vocoder in models\.yaml\."):
        hub.locate_component(asked, "vocoder")
