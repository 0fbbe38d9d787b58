"""Audio, speech, recognition and the voice chain with tiny models of the real classes."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from bench.core.modalities.audio import AudioOptions
from bench.core.modalities.recognition import RecognitionOptions
from bench.core.modalities.speech import SpeechOptions
from bench.core.modalities.voice import VoiceOptions
from bench.core.modality import Options
from bench.core.weights import Weights
from bench.engines import create
from bench.engines.base import EngineSpec, GeneratedBatch
from bench.engines.device import transformers_model
from bench.engines.device.phases import FirstScores, Stages
from bench.engines.language import stand_in_tokenizer
from bench.engines.sound import whisper
from bench.engines.sound.vits import fitted
from bench.engines.weights import architectures
from bench.errors import EngineError
from tests.engines.conftest import Loader, changed, spec

PROMPTS = ("A calm piano in the evening, 3 notes.", "Rain")
MUSIC = AudioOptions(seconds=0.5, guidance=2.0)
SOUND = AudioOptions(seconds=0.6, steps=2)
SPEECH = SpeechOptions(seconds=0.8)
HEARING = RecognitionOptions(seconds=1.5, new_tokens=7)
VOICE = VoiceOptions(heard_seconds=1.0, transcript_tokens=5, new_tokens=9, seconds=1.2)
FAMILIES: dict[str, tuple[Options, tuple[str, ...]]] = {
    "tiny-musicgen": (MUSIC, ("text_encoder", "decode", "codec")),
    "tiny-audioldm2": (SOUND, ("text_encoder", "denoise", "vae", "vocoder")),
    "tiny-stable-audio": (SOUND, ("text_encoder", "denoise", "vae")),
    "tiny-bark": (SPEECH, ("semantic", "coarse", "fine", "codec")),
    "tiny-vits": (SPEECH, ("text_encoder", "durations", "flow", "vocoder")),
    "tiny-speecht5": (SPEECH, ("text_encoder", "decode", "vocoder")),
    "tiny-whisper": (HEARING, ("spectrogram", "encoder", "decode")),
    "tiny-voice": (VOICE, ("recognition", "text", "speech")),
}
CLIPS = tuple(name for name in FAMILIES if name not in ("tiny-whisper", "tiny-voice"))


def family(name: str, dtype: str = "float32", **changes: Any) -> EngineSpec:
    return spec(name, changed(FAMILIES[name][0], **changes), dtype)


def samples(made: GeneratedBatch) -> Sequence[np.ndarray[Any, np.dtype[np.float32]]]:
    found: Sequence[np.ndarray[Any, np.dtype[np.float32]]] = made.payload.samples
    return found


@pytest.mark.parametrize("name", FAMILIES)
def test_bf16_output_is_finite_as_long_as_asked_and_in_phases(name: str, loaded: Loader) -> None:
    engine = loaded(family(name, "bfloat16"))
    assert engine.longest_prompt(PROMPTS) == 0
    made = engine.generate(PROMPTS, 0)
    found = engine.inspect(made)
    options, phases = FAMILIES[name]
    assert found.problems == ()
    assert found.seconds == pytest.approx([options.seconds] * 2, abs=0.035)  # type: ignore[attr-defined]
    assert tuple(phase.name for phase in made.phases) == phases
    assert all(one.end_ns <= other.start_ns for one, other in zip(made.phases, made.phases[1:], strict=False))
    assert all(phase.end_ns > phase.start_ns for phase in made.phases)
    assert made.start_ns <= made.phases[0].start_ns
    assert made.phases[-1].end_ns <= made.end_ns
    assert made.phases[-1].end_ns >= made.end_ns - 5_000_000, "the last phase lasts to the end"


@pytest.mark.parametrize("name", FAMILIES)
def test_what_was_loaded_is_read_back(name: str) -> None:
    engine = create(family(name))
    ready = engine.load()
    assert ready.revision == architectures.fingerprint(name)
    stated = architectures.load(name).parameters
    assert ready.parameters == stated
    assert set(ready.dtypes.values()) == {"float32"}
    assert ready.memory_bytes
    assert ready.memory_bytes >= 4 * sum(stated.values())
    engine.unload()
    with pytest.raises(EngineError, match="is not loaded"):
        engine.generate(PROMPTS, 0)


@pytest.mark.parametrize("name", CLIPS)
def test_the_seed_decides_the_samples_and_each_item_has_its_own(name: str, loaded: Loader) -> None:
    engine = loaded(family(name))
    one, same = (samples(engine.generate(PROMPTS, 5)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], one[1])


def test_a_sampled_clip_is_another_with_another_seed(loaded: Loader) -> None:
    engine = loaded(family("tiny-musicgen"))
    assert not np.array_equal(
        samples(engine.generate(PROMPTS, 1))[0], samples(engine.generate(PROMPTS, 2))[0]
    )


def test_guidance_makes_the_decoder_see_each_item_twice(loaded: Loader) -> None:
    seen: list[int] = []
    for guidance in (1.0, 2.0):
        engine: Any = loaded(family("tiny-musicgen", guidance=guidance))
        decoder = engine._loaded.modules["model"].decoder.model.decoder.layers[0]
        decoder.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
        engine.generate(PROMPTS, 0)
    assert set(seen[: len(seen) // 2]) == {2}
    assert set(seen[len(seen) // 2 :]) == {4}


def test_a_latent_of_one_length_says_how_much_it_could_have_made() -> None:
    used = create(family("tiny-stable-audio")).load().used
    hop, length = math.prod((2, 4, 8)), 128
    assert used["could_make_s"] == hop * length / 4096 == 2.0
    assert "could_make_s" not in create(family("tiny-audioldm2")).load().used
    assert create(family("tiny-whisper")).load().used["could_hear_s"] == 3.0


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (family("tiny-stable-audio", seconds=2.1), "makes 2.0 s at most, and 2.1 s were asked for."),
        (family("tiny-bark", seconds=2.0), "speaks for 1.2 s at most, and 2 s were asked for."),
        (family("tiny-whisper", seconds=4.0), "hears 3 s at once, and 4 s were asked for."),
        (family("tiny-whisper", new_tokens=61), "writes 60 tokens at most, and 61 were asked for."),
        (family("tiny-vits", seconds=0.001), "makes 8 ms at least."),
        (family("tiny-speecht5", seconds=9), "speaks for 0.008 to 3 s, and 9 s were asked for."),
        (family("tiny-musicgen", steps=4), "takes no steps."),
        (family("tiny-audioldm2", steps=None), "needs a number of steps."),
        (
            spec("tiny-musicgen", SPEECH),
            "is a MusicgenForConditionalGeneration, and this engine runs BarkModel",
        ),
        (
            spec("tiny-audioldm2", SPEECH),
            "is a AudioLDM2Pipeline, and this engine runs BarkModel, SpeechT5ForTextToSpeech, VitsModel",
        ),
        (
            spec("tiny-stable-diffusion", SOUND),
            "is a StableDiffusionPipeline, and this engine runs AudioLDM2",
        ),
        (spec("tiny-llama", HEARING), "is a LlamaForCausalLM, and this engine runs Whisper"),
        (spec("tiny-vits", SPEECH, devices=("cpu", "cpu")), "runs on one device, not on 2."),
    ],
)
def test_what_cannot_be_is_one_sentence(wanted: EngineSpec, says: str) -> None:
    with pytest.raises(EngineError) as error:
        create(wanted).load()
    assert says in error.value.message
    assert error.value.remedy


def test_a_chain_needs_its_parts_and_no_hub_has_them() -> None:
    with pytest.raises(EngineError, match="tiny-whisper has no part for recognition"):
        create(spec("tiny-whisper", VOICE))
    hub = EngineSpec("chain", Weights(kind="hub", hub_id="a/b", revision="main"), VOICE, "float32", 1)
    with pytest.raises(EngineError, match="is three models, and the hub gives one"):
        create(hub)


def test_a_chain_hears_writes_and_speaks(tmp_path: Path, loaded: Loader) -> None:
    engine = loaded(family("tiny-voice"))
    made = engine.generate(PROMPTS, 0)
    found = engine.inspect(made)
    assert found.heard_seconds == (1.0, 1.0)
    assert found.tokens == (9, 9)
    assert found.words is None
    names = sorted(path.name for path in engine.save(made, tmp_path, "a"))
    assert names == [
        "a-0.wav",
        "a-1.wav",
        "a-answer-0.txt",
        "a-answer-1.txt",
        "a-heard-0.txt",
        "a-heard-1.txt",
    ]


class Overheard:
    """An engine that notes what it is asked for."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.asked: list[Sequence[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def generate(self, texts: Sequence[str], seed: int) -> GeneratedBatch:
        self.asked.append(texts)
        made: GeneratedBatch = self._engine.generate(texts, seed)
        return made


def test_parts_of_random_weights_pass_on_words_of_the_true_number(loaded: Loader) -> None:
    """1.33 tokens a word: 5 tokens are 4 words, 9 are 7."""
    engine: Any = loaded(family("tiny-voice"))
    engine._text, engine._speech = Overheard(engine._text), Overheard(engine._speech)
    engine.generate(PROMPTS, 0)
    assert engine._text.asked == [
        ["Answer in a few sentences: A calm piano in", "Answer in a few sentences: Rain Rain Rain Rain"]
    ]
    assert engine._speech.asked == [["A calm piano in the evening, 3", " ".join(["Rain"] * 7)]]


def test_a_stored_chain_passes_on_what_its_parts_wrote(
    tmp_path: Path, loaded: Loader, text_folder: Path
) -> None:
    stored_whisper(tmp_path / "recognition")
    shutil.copytree(text_folder, tmp_path / "text")
    stored("tiny-vits", tmp_path / "speech")
    engine: Any = loaded(spec("", VOICE, folder=tmp_path))
    # Its words are bytes of random weights, which nobody can speak.
    engine._speech = Overheard(loaded(spec("tiny-bark", SPEECH)))
    made = engine.generate(PROMPTS, 0)
    assert engine._speech.asked == [engine._text.texts(made.payload.text)]
    assert engine.load().revision.count("sha256:") == 2, "the third part is another here"


def test_a_fault_of_a_part_is_one_of_the_chain(loaded: Loader) -> None:
    engine = loaded(family("tiny-voice"))
    made = engine.generate(PROMPTS, 0)
    made.payload.speech.payload.samples[1][:] = np.nan
    made.payload.recognition.payload.token_ids[0].pop()
    assert engine.inspect(made).problems == (
        "Item 0 has 4 tokens, 5 were asked for.",
        "Item 1 contains NaN or infinity.",
    )


def test_nan_of_the_recogniser_is_noticed(loaded: Loader) -> None:
    engine: Any = loaded(family("tiny-whisper"))
    for parameter in engine._loaded.model.get_encoder().layer_norm.parameters():
        parameter.fill_(float("nan"))
    assert engine.inspect(engine.generate(PROMPTS, 0)).problems == (
        "Item 0: the model's scores are NaN.",
        "Item 1: the model's scores are NaN.",
    )


def test_a_text_without_a_letter_is_one_sentence(loaded: Loader) -> None:
    engine = loaded(family("tiny-vits"))
    with pytest.raises(EngineError, match=r"Text 1 has no character that a-model can speak\."):
        engine.generate(["a", "?!"], 0)


@pytest.mark.parametrize("frames", [1, 40, 4001])
def test_durations_are_whole_frames_and_none_is_lost(frames: int) -> None:
    logs = torch.randn(3, 1, 30, generator=torch.Generator().manual_seed(frames)) * 2
    logs[1, 0, 4] = float("nan")
    logs[2, 0, 5] = float("inf")
    mask = torch.ones(3, 1, 30)
    mask[0, 0, 11:] = 0
    # As the model itself turns them into frames.
    made = torch.ceil(torch.exp(fitted(logs, mask, frames)) * mask)
    assert made.sum(dim=(1, 2)).tolist() == [frames] * 3
    assert not made[0, 0, 11:].any()


def test_durations_keep_their_proportions() -> None:
    logs = torch.log(torch.tensor([[[1.0, 2.0, 5.0]]]))
    assert torch.ceil(torch.exp(fitted(logs, torch.ones(1, 1, 3), 80))).tolist() == [[[10.0, 20.0, 50.0]]]


def test_a_phase_lasts_until_the_next_one_begins() -> None:
    stages, first, second = Stages(("cpu",)), torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    stages.watch(first, "first")
    stages.watch(second, "second")
    for _ in range(2):
        start_ns = stages.start()
        for network in (first, first, second, first, second, second):
            network(torch.zeros(1))
        end_ns = stages.finish()
        one, other = stages.clock.phases()
        assert (one.name, other.name) == ("first", "second")
        assert start_ns <= one.start_ns < one.end_ns == other.start_ns < other.end_ns == end_ns
        assert stages.calls == {"first": 3, "second": 3}


def stored(name: str, folder: Path) -> Path:
    """A tiny model as `save_pretrained` writes it."""
    loaded = transformers_model.load(family(name), (architectures.load(name).components[0].class_name,))
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


def stored_whisper(folder: Path) -> Path:
    """A tiny Whisper with a tokenizer of its own class and what makes its spectrogram."""
    stored("tiny-whisper", folder)
    plain = stand_in_tokenizer.build(architectures.TokenizerShape("t", "bpe", 590, 448, {"pad": 2, "eos": 2}))
    plain.save_pretrained(folder / "plain")
    words = plain.get_vocab()
    own: Any = transformers.WhisperTokenizer
    tokenizer = own(vocab=words, merges=[])
    named = ("startoftranscript", "en", "transcribe", "notimestamps")
    tokenizer.add_special_tokens({"additional_special_tokens": [f"<|{name}|>" for name in named]})
    tokenizer.save_pretrained(folder)
    whisper.load(family("tiny-whisper"), HEARING).extractor.save_pretrained(folder)
    shutil.rmtree(folder / "plain")
    return folder


@pytest.mark.parametrize("name", ["tiny-musicgen", "tiny-vits"])
def test_a_stored_model_runs_from_its_folder(name: str, tmp_path: Path, loaded: Loader) -> None:
    options = FAMILIES[name][0]
    engine = loaded(spec(name, options, folder=stored(name, tmp_path)))
    made = engine.generate(PROMPTS, 3)
    assert [len(clip) for clip in samples(made)] == [1, 1]
    assert [p for p in engine.inspect(made).problems if "long" in p or "NaN" in p] == []


def test_a_stored_speecht5_has_its_vocoder_in_a_folder_of_its_own(tmp_path: Path, loaded: Loader) -> None:
    made: Any = loaded(family("tiny-speecht5"))
    parts, folder = made._loaded.modules, stored("tiny-speecht5", tmp_path)
    with pytest.raises(EngineError, match=r"Folder '.*vocoder' does not exist"):
        create(spec("tiny-speecht5", SPEECH, folder=folder)).load()
    parts["vocoder"].save_pretrained(folder / "vocoder")
    again = loaded(spec("tiny-speecht5", SPEECH, folder=folder))
    one, other = (samples(engine.generate(PROMPTS, 3))[0] for engine in (made, again))
    assert np.allclose(one, other, atol=1e-6)  # a weight norm is stored as its product


def test_a_text_longer_than_the_positions_is_one_sentence(loaded: Loader) -> None:
    engine = loaded(family("tiny-speecht5"))
    with pytest.raises(EngineError, match=r"A text has 602 characters, and a-model speaks 600 at most\."):
        engine.generate(["a" * 600], 0)


def test_a_stored_whisper_begins_with_its_own_prefix(tmp_path: Path, loaded: Loader) -> None:
    engine: Any = loaded(spec("", HEARING, folder=stored_whisper(tmp_path)))
    prefix = engine._loaded.tokenizer.convert_ids_to_tokens(engine._loaded.prefix)
    assert prefix == ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    assert engine.inspect(engine.generate(PROMPTS, 0)).tokens == (7, 7)


def test_a_model_without_a_tokenizer_is_one_sentence(tmp_path: Path) -> None:
    folder = stored("tiny-vits", tmp_path)
    (folder / "vocab.json").unlink()
    with pytest.raises(EngineError, match="it has no tokenizer") as error:
        create(spec("tiny-vits", SPEECH, folder=folder)).load()
    assert error.value.missing


def test_a_stored_pipeline_whose_language_model_cannot_generate_gets_one_that_can(
    tmp_path: Path, loaded: Loader
) -> None:
    """As AudioLDM2 was published: with the bare class of GPT-2."""
    engine: Any = loaded(family("tiny-audioldm2"))
    bare = engine._loaded.modules["language_model"].transformer
    pipe = next(c.cell_contents for c in engine._loaded.make.__closure__ if hasattr(c.cell_contents, "vae"))
    bert, t5 = (
        getattr(transformers, name)(model_max_length=64) for name in ("RobertaTokenizer", "T5Tokenizer")
    )
    ranking = transformers.ClapFeatureExtractor()
    pipe.register_modules(language_model=bare, tokenizer=bert, tokenizer_2=t5, feature_extractor=ranking)
    pipe.save_pretrained(tmp_path)
    assert '"GPT2Model"' in (tmp_path / "model_index.json").read_text()
    again = loaded(spec("tiny-audioldm2", SOUND, folder=tmp_path))
    assert [p for p in again.inspect(again.generate(PROMPTS, 0)).problems if "silent" not in p] == []


def test_the_scores_of_a_batch_are_looked_at_once() -> None:
    first: Any = FirstScores()
    first(torch.zeros(2, 1), torch.tensor([[0.0, 1.0], [float("nan"), 0.0]]))
    first(torch.zeros(2, 1), torch.full((2, 2), float("nan")))
    assert first.nan_items() == (False, True)
