"""Music and sound: MusicGen (transformers), AudioLDM2 and Stable Audio (diffusers)."""

from __future__ import annotations

from bench.core.modalities.audio import AudioOptions
from bench.engines.base import EngineSpec
from bench.engines.device.phases import Stages
from bench.engines.device.transformers_model import is_pipeline
from bench.engines.sound import audio_pipelines, musicgen
from bench.engines.sound.clip_engine import ClipEngine, Maker


def create(spec: EngineSpec) -> ClipEngine:
    """The engine for a spec with `AudioOptions`."""
    assert isinstance(spec.options, AudioOptions), "chosen by the type of the options"
    options = spec.options

    def load(spec: EngineSpec, stages: Stages) -> Maker:
        if is_pipeline(spec.weights):
            return audio_pipelines.load(spec, options, stages)
        return musicgen.load(spec, options, stages)

    return ClipEngine(spec, options.seconds, load)
