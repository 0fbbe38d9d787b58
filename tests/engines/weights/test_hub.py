"""Finding weights: the hub asked once and briefly, the cache behind it, folders, and no pickles."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import HfApi

from bench.core.modalities.audio import AudioOptions
from bench.core.modalities.recognition import RecognitionOptions
from bench.core.modalities.speech import SpeechOptions
from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import EngineSpec
from bench.engines.device.transformers_model import is_pipeline
from bench.engines.weights import hub, hub_request
from bench.errors import EngineError
from tests.engines.conftest import IMAGE, TEXT, spec

AUDIO, SPEECH = AudioOptions(seconds=1), SpeechOptions(seconds=1)
HEARING = RecognitionOptions(seconds=1, new_tokens=4)
COMMIT = "ac2ae5fab2ce3f9f40dc79b5ca9f637430d24971"


def hub_spec(options: Any = TEXT) -> EngineSpec:
    return EngineSpec("m", Weights(kind="hub", hub_id="some/model", revision="main"), options, "float32", 1)


def answer(monkeypatch: pytest.MonkeyPatch, *files: str) -> None:
    """Let the hub answer that the model holds these files."""
    info = SimpleNamespace(sha=COMMIT, siblings=[SimpleNamespace(rfilename=name) for name in files])
    monkeypatch.setattr(HfApi, "model_info", lambda *_, **__: info)


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub be out of reach."""

    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(HfApi, "model_info", fail)


@pytest.mark.parametrize("options", [TEXT, IMAGE, AUDIO, SPEECH, HEARING])
def test_a_hub_out_of_reach_is_said_quickly(monkeypatch: pytest.MonkeyPatch, options: Any) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(hub_request, "HfApi", lambda: HfApi("http://127.0.0.1:9"))
    engine = create(hub_spec(options))
    start = time.monotonic()
    with pytest.raises(EngineError, match="model hub cannot be reached, so some/model") as caught:
        engine.load()
    assert time.monotonic() - start < 5
    assert caught.value.stage == "load"


def test_a_branch_is_resolved_to_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "config.json", "model.safetensors")
    found = hub.locate(hub_spec())
    assert found == hub.Located("some/model", COMMIT, {"revision": COMMIT})


def test_without_a_connection_the_cache_serves(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text_folder: Path
) -> None:
    refuse(monkeypatch)
    snapshot = tmp_path / "snapshots" / COMMIT
    shutil.copytree(text_folder, snapshot)
    monkeypatch.setattr(hub, "snapshot_download", lambda *_, **__: str(snapshot))
    found = hub.locate(hub_spec())
    assert (found.name, found.revision) == (str(snapshot), COMMIT)


@pytest.mark.parametrize("files", [("model_index.json", "vae/x.safetensors"), ("config.json",)])
def test_whether_a_model_is_a_pipeline_is_seen_in_its_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: tuple[str, ...]
) -> None:
    pipeline = files[0] == "model_index.json"
    answer(monkeypatch, *files)
    assert is_pipeline(hub_spec().weights) == pipeline
    refuse(monkeypatch)
    (tmp_path / files[0]).write_text("{}")
    monkeypatch.setattr(hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    assert is_pipeline(hub_spec().weights) == pipeline, "the cache needs no answer"
    assert is_pipeline(Weights(kind="path", path=str(tmp_path))) == pipeline


def test_pickles_on_the_hub_are_refused_before_anything_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "config.json", "pytorch_model.bin")
    with pytest.raises(EngineError, match=r"some/model lacks \.safetensors weights, and pickled ones"):
        create(hub_spec()).load()


@pytest.mark.parametrize("options", [TEXT, IMAGE])
def test_a_folder_of_pickles_is_refused(tmp_path: Path, options: Any) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(EngineError, match="pickled ones"):
        create(spec(options=options, folder=tmp_path)).load()


def test_a_folder_with_nothing_or_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="has no weights"):
        hub.locate(spec(folder=tmp_path))
    with pytest.raises(EngineError, match=r"Folder .* does not exist"):
        hub.locate(spec(folder=tmp_path / "nowhere"))


def test_a_part_without_safetensors_is_refused(image_folder: Path, tmp_path: Path) -> None:
    for path in image_folder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(image_folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    weights = tmp_path / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(EngineError, match="pickled ones"):
        create(spec(options=IMAGE, folder=tmp_path)).load()


def test_the_fingerprint_of_a_folder_follows_its_content(text_folder: Path, tmp_path: Path) -> None:
    for path in text_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = hub.locate(spec(folder=tmp_path)).revision
    assert before == hub.locate(spec(folder=text_folder)).revision
    (tmp_path / "config.json").write_text("{}")
    assert hub.locate(spec(folder=tmp_path)).revision != before


def test_hub_weights_need_a_name() -> None:
    with pytest.raises(EngineError, match="need a model name"):
        hub.locate(EngineSpec("m", Weights(kind="hub"), TEXT, "float32", 1))
