"""Open parts of a record: what was given is written again, and what was not is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bench.core import machine, observed, provenance, recorded, weights
from bench.core.machine import Machine
from bench.core.model import OpenModel
from bench.core.observed import PeakMemory


def open_models(base: type[OpenModel] = OpenModel) -> Iterator[type[OpenModel]]:
    for model in base.__subclasses__():
        yield model
        yield from open_models(model)


def test_every_default_is_none_or_empty() -> None:
    """`OpenModel` writes a key that was not given once it holds something."""
    assert all((machine, observed, provenance, recorded, weights)), "imported, so that they are subclasses"
    models = list(open_models())
    assert len(models) > 10
    for model in models:
        for name, field in model.model_fields.items():
            if not field.is_required():
                default: Any = field.get_default(call_default_factory=True)
                assert not default, f"{model.__name__}.{name}"
                assert default is not False, f"{model.__name__}.{name}"


@pytest.mark.parametrize("number", [700, 700.0, None])
def test_a_number_keeps_its_form(number: float | None) -> None:
    dumped = PeakMemory(used_bytes=number).model_dump_json()
    assert dumped == f'{{"used_bytes":{"null" if number is None else repr(number)}}}'


def test_a_key_that_is_set_later_is_written_and_one_that_is_not_is_not() -> None:
    found = Machine(name="a")
    found.driver = None
    found.absent["gpus"] = "no GPU"
    assert found.as_mapping() == {"name": "a", "driver": None, "absent": {"gpus": "no GPU"}}
