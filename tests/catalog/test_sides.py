"""A side of a pair, as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.cases import Overrides
from bench.catalog.loading import find, load
from bench.catalog.models import Catalogue, Work
from bench.catalog.sides import side
from bench.core.modalities.text import TextOptions
from bench.errors import UsageError


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(find(Path(__file__).parents[2] / "models.yaml"))


def test_a_model_alone_is_its_own_case(catalogue: Catalogue) -> None:
    planned = side(catalogue, "bloom-560m", Overrides(work=Work(batch=4)))
    assert planned.case.name == "bloom-560m"
    assert planned.case.batch == 4


def test_what_the_side_says_is_stronger_than_the_command_line(catalogue: Catalogue) -> None:
    text = "bloom-560m, batch=8, new-tokens=16, static_cache=true, dtype=float16"
    case = side(catalogue, text, Overrides(work=Work(batch=4, seed=3))).case
    assert (case.batch, case.dtype, case.seed) == (8, "float16", 3)
    assert case.options == TextOptions(new_tokens=16, static_cache=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("blom-560m", 'Did you mean "bloom-560m"'),
        ("smoke", "is 3 cases"),
        ("bloom-560m,batch", "not key=value"),
        ("bloom-560m,batch=", "not key=value"),
        ("bloom-560m,bath=8", 'Did you mean "batch"'),
        ("bloom-560m,batch=many", "batch"),
        ("bloom-560m,batch=[", "not a value"),
        ("bloom-560m,steps=4", "--steps means nothing here"),
        ("", 'Unknown suite or model ""'),
    ],
)
def test_a_mistake_is_one_sentence(catalogue: Catalogue, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        side(catalogue, text, Overrides())
    assert sentence in str(caught.value)
