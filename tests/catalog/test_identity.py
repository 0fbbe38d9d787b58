"""A case's identity: the same before a run and from its record, and different where the work is."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bench.catalog.cases import Case
from bench.catalog.identity import VERSION, case_hash, differing
from bench.catalog.models import Model
from bench.core.modalities.image import ImageOptions
from bench.core.modalities.text import TextOptions
from bench.core.weights import Weights
from bench.store import results
from tests.support import factory

MODEL = Model(
    engine="text",
    unit="page",
    family="BLOOM",
    licence="bigscience-bloom-rail-1.0",
    gated=False,
    parameters_b=0.559,
    memory_gb=1.1,
    hub_id="bigscience/bloom-560m",
    revision="ac2ae5fab2ce3f9f40dc79b5ca9f637430d24971",
    architecture="bloom-560m",
)

PAGES = Case(
    name="bloom-560m",
    model=MODEL,
    weights=Weights(kind="hub", hub_id=MODEL.hub_id, revision=MODEL.revision),
    dtype="bfloat16",
    batch=1,
    seed=0,
    options=TextOptions(new_tokens=340),
)

PICTURES = Case(
    name="sdxl",
    model=MODEL.model_copy(update={"engine": "image", "unit": "image"}),
    weights=Weights(kind="random", architecture="sdxl", fingerprint="ab" * 32),
    dtype="float16",
    batch=4,
    seed=1,
    options=ImageOptions(width=64, height=64, steps=4, guidance=7.5),
)

GOLDEN = {"pages": "3e27f62115d5ee25", "pictures": "0a2671294ec02049"}
"""Records in the world hold these. If this test fails, the work of every case would look changed.

Either undo the change, or raise `VERSION` in `bench/catalog/identity.py`, write into its history what is
now in the hash, and put the new hashes here. Prompts are pinned apart, in `test_shipped.py`.
"""

OTHER_WORK: dict[str, dict[str, Any]] = {
    "dtype": {"dtype": "float16"},
    "batch": {"batch": 2},
    "seed": {"seed": 1},
    "attention": {"attention": "eager"},
    "compile": {"compile": True},
    "compile_mode": {"compile_mode": "default"},
    "sdpa_kernel": {"sdpa_kernel": "flash"},
    "quantization": {"quantization": "bnb-4bit"},
    "options.new_tokens": {"new_tokens": 341},
    "options.static_cache": {"static_cache": True},
}

OTHER_PICTURES: dict[str, dict[str, Any]] = {
    "options.steps": {"steps": 5},
    "options.width": {"width": 72},
    "options.height": {"height": 72},
    "options.guidance": {"guidance": 7.6},
    "options.scheduler": {"scheduler": "DDIMScheduler"},
    "options.text_tokens": {"text_tokens": 256},
    "options.channels_last": {"channels_last": True},
    "options.compile_blocks": {"compile_blocks": True},
    "options.fuse_qkv": {"fuse_qkv": True},
}

OTHER_WEIGHTS: dict[str, dict[str, Any]] = {
    "weights.revision": {"revision": "f" * 40},
    "weights.hub_id": {"hub_id": "someone/else"},
    "weights.variant": {"variant": "fp16"},
    "weights.fingerprint": {"fingerprint": "cd" * 32},
    "weights.architecture": {"architecture": "bloom-1b1"},
    "weights.kind": {"kind": "path"},
}


def leaves(mapping: dict[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The key path of every value that is not a mapping itself."""
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from leaves(value, (*prefix, key))
        else:
            yield (*prefix, key)


def with_other_value(mapping: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The mapping with another value of any kind at the end of a key path."""
    other = copy.deepcopy(mapping)
    place = other
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = "something else"
    return other


def changed_work(case: Case, changes: dict[str, Any]) -> Case:
    """The case with other work."""
    of_options = {key: value for key, value in changes.items() if key in type(case.options).model_fields}
    of_case = {key: value for key, value in changes.items() if key not in of_options}
    return replace(case, options=case.options.model_copy(update=of_options), **of_case)


WORK_KEYS = [path for path in leaves(PAGES.as_mapping()) if path not in {("model",), ("hash",)}]


@pytest.mark.parametrize("case", [PAGES, PICTURES], ids=["pages", "pictures"])
def test_the_hash_is_the_same_before_a_run_and_from_its_record(case: Case) -> None:
    before = case.as_mapping()
    assert before["hash"] == case_hash(before)
    text = results.to_json(factory.record(case=before))
    stored = json.loads(text)["case"]
    assert stored == before
    assert case_hash(stored) == before["hash"]


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    mapping = PAGES.as_mapping()
    assert case_hash(dict(reversed(mapping.items()))) == mapping["hash"]


@pytest.mark.parametrize("path", WORK_KEYS, ids=".".join)
def test_every_key_of_a_case_but_its_label_is_part_of_its_identity(path: tuple[str, ...]) -> None:
    one = PAGES.as_mapping()
    other = with_other_value(one, path)
    assert case_hash(other) != one["hash"]
    assert differing(one, other) == [".".join(path)]


@pytest.mark.parametrize(("key", "changes"), OTHER_WORK.items(), ids=OTHER_WORK)
def test_other_work_is_another_case(key: str, changes: dict[str, Any]) -> None:
    one, other = PAGES.as_mapping(), changed_work(PAGES, changes).as_mapping()
    assert one["hash"] != other["hash"]
    assert differing(one, other) == [key]


@pytest.mark.parametrize(("key", "changes"), OTHER_PICTURES.items(), ids=OTHER_PICTURES)
def test_another_image_is_another_case(key: str, changes: dict[str, Any]) -> None:
    one, other = PICTURES.as_mapping(), changed_work(PICTURES, changes).as_mapping()
    assert one["hash"] != other["hash"]
    assert differing(one, other) == [key]


@pytest.mark.parametrize("case", [PAGES, PICTURES], ids=["pages", "pictures"])
def test_a_variant_that_is_not_in_force_is_no_part_of_a_case(case: Case) -> None:
    keys = case.options.only_if_set
    assert keys >= {"compile_mode", "sdpa_kernel"}
    assert not keys & case.as_mapping()["options"].keys()
    off = {key: type(case.options).model_fields[key].default for key in keys}
    assert not any(off.values())
    assert changed_work(case, off).as_mapping() == case.as_mapping()


def test_a_variant_is_named_in_the_label() -> None:
    varied = changed_work(PICTURES, {"compile": True, "compile_mode": "max-autotune", "channels_last": True})
    assert varied.label == f"{PICTURES.label} compile compile_mode max-autotune channels_last"


@pytest.mark.parametrize(("key", "changes"), OTHER_WEIGHTS.items(), ids=OTHER_WEIGHTS)
def test_other_weights_are_another_case(key: str, changes: dict[str, Any]) -> None:
    other = replace(PAGES, weights=PAGES.weights.model_copy(update=changes)).as_mapping()
    assert differing(PAGES.as_mapping(), other) == [key]
    assert PAGES.as_mapping()["hash"] != other["hash"]


def test_another_prompt_format_or_words_per_token_is_another_case() -> None:
    chat = changed_work(PAGES, {"prompt_format": "chat"})
    assert differing(PAGES.as_mapping(), chat.as_mapping()) == ["options.prompt_format"]
    assumed = replace(PAGES, tokens_per_word=1.33)
    assert differing(PAGES.as_mapping(), assumed.as_mapping()) == ["tokens_per_word"]


def test_half_the_batch_is_another_case() -> None:
    assert PICTURES.with_batch(2).as_mapping()["hash"] != PICTURES.as_mapping()["hash"]


def test_what_does_not_change_the_work_does_not_change_the_hash() -> None:
    """Another label, suite, licence, note or folder: the same numbers come out of the same machine."""
    relabelled = replace(
        PAGES,
        name="my-own-name",
        suite="paper",
        model=MODEL.model_copy(update={"licence": "other", "note": "other", "memory_gb": 99.0}),
        weights=PAGES.weights.model_copy(update={"path": "/elsewhere"}),
    )
    assert relabelled.as_mapping()["hash"] == PAGES.as_mapping()["hash"]
    assert differing(PAGES.as_mapping(), relabelled.as_mapping()) == []


def test_differing_names_a_key_that_only_one_of_them_has() -> None:
    one = PAGES.as_mapping()
    other = {key: value for key, value in one.items() if key != "attention"}
    assert one["attention"] is None
    assert case_hash(one) != case_hash(other)
    assert differing(one, other) == differing(other, one) == ["attention"]


def test_differing_names_all_keys_in_order() -> None:
    one = PAGES.as_mapping()
    other = changed_work(PAGES, {"seed": 3, "batch": 2, "new_tokens": 1}).as_mapping()
    assert differing(one, other) == ["batch", "options.new_tokens", "seed"]


def test_a_case_without_finite_numbers_has_no_hash() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        case_hash(PAGES.as_mapping() | {"seed": float("nan")})


def test_the_hash_of_a_known_case_is_the_one_that_stored_records_hold() -> None:
    some_prompts = {"name": "prompts", "version": 1, "sha256": "0" * 64}
    known = {"pages": PAGES, "pictures": PICTURES}
    found = {name: case_hash(case.as_mapping() | {"prompts": some_prompts}) for name, case in known.items()}
    assert (VERSION, found) == (1, GOLDEN)
