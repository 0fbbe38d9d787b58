"""Tiny models with random numbers, built once a session; one thread, because two spin against each other."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import gc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch

from bench.core.modalities.image import ImageOptions
from bench.core.modalities.text import TextOptions
from bench.core.modality import Options
from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import Engine, EngineSpec
from bench.engines.language import text_loading
from bench.engines.picture import image_loading

torch.set_num_threads(1)

PROMPTS = ("Write a page about the sea.", "Hi")
TEXT = TextOptions(new_tokens=12)
IMAGE = ImageOptions(width=64, height=64, steps=2)


Chosen = TypeVar("Chosen", bound=Options)


def changed(options: Chosen, **changes: Any) -> Chosen:
    """The options with other values for some of them."""
    return options.model_validate(dict(options) | changes)


def spec(
    architecture: str = "tiny-llama",
    options: Options = TEXT,
    dtype: Any = "float32",
    batch: int = 2,
    folder: Path | None = None,
    **more: Any,
) -> EngineSpec:
    """A spec with random weights, or with the weights in `folder`."""
    weights = Weights(kind="random", architecture=architecture)
    if folder is not None:
        weights = Weights(kind="path", path=str(folder))
    return EngineSpec("a-model", weights, options, dtype, batch, **more)


Loader = Callable[[EngineSpec], Engine]


@pytest.fixture(scope="module", autouse=True)
def without_old_garbage() -> None:
    """As after the suite's collection: what the tests before have made torch and its kin import."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def loaded() -> Iterator[Loader]:
    """A function that creates and loads an engine; all of them are unloaded after the test."""
    engines: list[Engine] = []

    def load(wanted: EngineSpec) -> Engine:
        engine = create(wanted)
        engine.load()
        engines.append(engine)
        return engine

    yield load
    for engine in engines:
        engine.unload()


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama with its tokenizer, as `save_pretrained` writes them."""
    folder = tmp_path_factory.mktemp("tiny-llama")
    made = text_loading.load(spec(), TEXT)
    made.model.save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Stable Diffusion pipeline, as `save_pretrained` writes it."""
    folder = tmp_path_factory.mktemp("tiny-stable-diffusion")
    made = image_loading.load(spec("tiny-stable-diffusion", IMAGE), IMAGE)
    made.pipe.save_pretrained(folder)
    return folder


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's client takes proxies from the environment; a test must not."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
