"""The shape of a record: published as JSON Schema, strict about what is in it, kind to what is not known."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from bench.core.record import SCHEMA, Record
from bench.store import results
from scripts.publish_schema import PUBLISHED, published_text
from tests.support import factory


def as_json(**changes: Any) -> dict[str, Any]:
    """A sample record as plain values, some of them changed."""
    plain: dict[str, Any] = json.loads(results.to_json(factory.record())) | changes
    return plain


def test_the_published_schema_is_the_one_of_the_code() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == published_text(), (
        "docs/record.schema.json is out of date: run `python -m scripts.publish_schema`. "
        "A change that old records do not fit needs a new SCHEMA in bench/core/record.py as well."
    )


@pytest.mark.parametrize("status", ["ok", "invalid", "failed"])
def test_a_record_fits_the_published_schema(status: Any) -> None:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    failure = {"stage": "load", "message": "no such revision"} if status == "failed" else None
    record = factory.record(status=status, blocks=[] if failure else None, failure=failure)
    jsonschema.Draft202012Validator(schema).validate(json.loads(results.to_json(record)))


def test_the_published_schema_refuses_what_the_code_refuses() -> None:
    checker = jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    for wrong in (as_json(status="fine"), as_json(blok=[]), as_json(blocks=[{}]), as_json(label=None)):
        assert not checker.is_valid(wrong)
        with pytest.raises(ValidationError):
            Record.model_validate(wrong)


def test_a_record_says_its_schema_first() -> None:
    assert next(iter(as_json().items())) == ("schema", SCHEMA)


def test_a_record_is_the_same_after_being_stored() -> None:
    record = factory.record(reasons=["αβγ 漢字 🙂"], provenance={"observed": [1, 2.5, None, {"a": []}]})
    assert Record.model_validate_json(results.to_json(record)) == record


def test_a_misspelt_field_is_refused_at_every_depth() -> None:
    for where in ("Block", "DomainEnergy", "Estimate", "Carbon"):
        plain = as_json()
        place: dict[str, Any] = {
            "Block": plain["blocks"][0],
            "DomainEnergy": plain["blocks"][0]["energy"][factory.GPU],
            "Estimate": plain["figures"]["time_per_unit_s"],
            "Carbon": plain["carbon"],
        }[where]
        place["gros_j"] = 1
        with pytest.raises(ValidationError, match="gros_j"):
            Record.model_validate(plain)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_figure_is_a_finite_number_or_null(bad: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        factory.energy(bad)
    assert factory.energy(None).gross_j is None


@pytest.mark.parametrize(
    ("field", "content", "says"),
    [
        ("case", {}, r"case\.model\s+Field required"),
        ("case", factory.case(weights={}), r"case\.weights\.kind\s+Field required"),
        ("case", factory.case(weights="hub"), r"case\.weights\s+Input should be a valid dictionary"),
        ("case", factory.case(hash=12), r"case\.hash\s+Input should be a valid string"),
        ("engine", {"parameters": {}}, r"engine\.used\s+Field required"),
        ("failure", {"stage": "load"}, r"failure\.message\s+Field required"),
        ("requested", {"batch": 8}, r"requested\.reason\s+Field required"),
    ],
)
def test_an_open_mapping_holds_at_least_what_its_readers_need(field: str, content: Any, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        factory.record(**{field: content})


def test_the_headline_names_a_scope_that_has_a_figure() -> None:
    plain = as_json()
    plain["figures"]["headline_scope"] = "host"
    with pytest.raises(ValidationError, match="the figure at the headline's scope `host` is missing"):
        Record.model_validate(plain)


def test_the_headline_is_the_gross_figure_of_its_scope_or_nothing() -> None:
    headline = factory.record().headline()
    assert headline is not None
    assert (headline.value, headline.n) == (300.0, 5)
    assert factory.record(blocks=[]).headline() is None
    assert factory.record(blocks=[factory.block(None)]).headline() is None
