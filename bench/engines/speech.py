"""Speech from a text: VITS, Bark and SpeechT5 (transformers)."""

from __future__ import annotations

from bench.core.modalities.speech import SpeechOptions
from bench.engines.base import EngineSpec
from bench.engines.device.phases import Stages
from bench.engines.device.transformers_model import load as load_model
from bench.engines.sound import bark, speecht5, vits
from bench.engines.sound.clip_engine import ClipEngine, Maker

FAMILIES = {
    "BarkModel": bark.maker,
    "SpeechT5ForTextToSpeech": speecht5.maker,
    "VitsModel": vits.maker,
}


def create(spec: EngineSpec) -> ClipEngine:
    """The engine for a spec with `SpeechOptions`."""
    assert isinstance(spec.options, SpeechOptions), "chosen by the type of the options"
    seconds = spec.options.seconds

    def load(spec: EngineSpec, stages: Stages) -> Maker:
        loaded = load_model(spec, tuple(FAMILIES))
        return FAMILIES[type(loaded.model).__name__](loaded, spec, seconds, stages)

    return ClipEngine(spec, seconds, load)
