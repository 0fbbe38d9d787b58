"""What travels between a run and the worker of another checkout changes only with its version."""

from __future__ import annotations

import pickle
from dataclasses import MISSING, fields, is_dataclass

from pydantic import BaseModel

from bench.core import modalities
from bench.core.modalities.text import TextOptions
from bench.core.observed import PeakMemory
from bench.core.peaks import DevicePeaks
from bench.core.weights import Weights
from bench.engines import base
from bench.engines.roofline import peak_sizes
from bench.worker import dealiasing, messages
from bench.worker.main import Worker

PUBLISHED: dict[int, dict[str, str]] = {
    7: {
        "AgentOptions": "trace pauses",
        "AudioOptions": "seconds steps guidance",
        "Batch": "start_ns end_ns items phases",
        "DevicePeaks": "schema_name device name created copy_gb_per_s read_gb_per_s matrix_tflops "
        "buffer_bytes matrix_sides cpu_threads float32_matmul machine provenance absent",
        "CheckedOutput": "found files peak",
        "RunLoad": "steps",
        "LoadDone": "steps edges_ns",
        "CouncilOptions": "new_tokens ranking_tokens conclusion_tokens",
        "EmbeddingOptions": "input_tokens",
        "EngineSpec": "model weights options dtype batch devices seed trust_remote_code parts server",
        "Failed": "error trace",
        "ImageOptions": "attention compile compile_mode sdpa_kernel width height steps guidance scheduler "
        "text_tokens channels_last compile_blocks fuse_qkv",
        "CheckOutput": "save_to stem",
        "OutputCheck": "tokens words prompt_tokens problems seconds heard_seconds reasoning_tokens counts",
        "Hello": "",
        "HelloAnswer": "folder libraries",
        "LoadModel": "spec prompts notes",
        "PeakMemory": "used_bytes of reserved_bytes reason",
        "PhaseEdges": "name start_ns end_ns",
        "PrepareLoad": "device",
        "LoadPrepared": "uuid",
        "Generate": "first_prompt batches seconds shift",
        "Generated": "batches rests_ns",
        "MeasurePeaks": "device sizes",
        "LoadedModel": "parameters dtypes used revision device_uuids memory_bytes load_s libraries "
        "longest_prompt part_revisions",
        "RecognitionOptions": "seconds new_tokens",
        "Dealiasing": "period_s first",
        "PeakSizes": "buffer_bytes matrix_sides rounds round_s",
        "ServerAccess": "url name api key extra answer_s",
        "SpeechOptions": "seconds",
        "LoadStep": "level seconds",
        "TextOptions": "attention compile compile_mode sdpa_kernel new_tokens static_cache prompt_format "
        "kind reasoning prompts",
        "Unload": "",
        "VideoOptions": "attention compile compile_mode sdpa_kernel width height steps guidance scheduler "
        "text_tokens channels_last compile_blocks fuse_qkv frames fps offload vae_tiling",
        "VoiceOptions": "heard_seconds transcript_tokens new_tokens seconds",
        "Weights": "kind hub_id revision variant architecture fingerprint path",
    }
}
"""Names of classes and fields by version of the protocol, as they were first published."""


def test_an_option_that_a_worker_does_not_know_is_refused_where_it_is_set() -> None:
    options = TextOptions(new_tokens=5)
    sent = pickle.loads(pickle.dumps(options))
    vars(sent)["later_option"] = False
    spec = base.EngineSpec(
        "tiny", Weights(kind="random", architecture="no such"), sent, "float32", 1, ("cpu",), 0
    )
    plain = Worker().answer(messages.LoadModel(spec, ("one",)))
    vars(sent)["later_option"] = True
    asked = Worker().answer(messages.LoadModel(spec, ("one",)))
    assert isinstance(plain, messages.Failed)
    assert isinstance(asked, messages.Failed)
    assert "later_option" not in str(plain.error)
    assert "This code lacks the option later_option" in str(asked.error)


STORED: tuple[type[BaseModel], ...] = (PeakMemory, Weights, DevicePeaks)
"""Types of a record that travel, too."""


def travelling() -> dict[str, dict[str, bool]]:
    """The fields of every class that goes through the pipe, and whether each may be left out."""
    found = {
        name: {field.name: field.default is not MISSING for field in fields(kind)}
        for module in (messages, base, peak_sizes, dealiasing)
        for name, kind in vars(module).items()
        if is_dataclass(kind) and kind.__module__ == module.__name__ and kind is not base.GeneratedBatch
    }
    models: list[type[BaseModel]] = [modality.options for modality in modalities.all_modalities()]
    return found | {
        kind.__name__: {name: not field.is_required() for name, field in kind.model_fields.items()}
        for kind in [*models, *STORED]
    }


def test_what_travels_is_what_was_published_or_the_version_is_raised() -> None:
    published, found = PUBLISHED[messages.PROTOCOL], travelling()
    assert found.keys() == published.keys(), "raise PROTOCOL: the other side would not know these classes"
    for name, each in found.items():
        known = set(published[name].split())  # fields travel by name, in any order
        assert known <= each.keys(), f"raise PROTOCOL: {name} has changed"
        for field in each.keys() - known:
            assert each[field], f"{name}.{field}: give it a default, or raise PROTOCOL"
