"""Pages about comparing, records and formats: what they name exists, and what exists is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from bench.cli.export_formats import FORMATS
from bench.compare import gate, noise
from bench.compare.comparison import Verdict
from bench.compare.metrics import METRICS
from bench.stats import ratio
from tests.cli.commands import command

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("compare.md", "pairs.md", "many-records.md", "export.md")
TEXT = "".join((DOCS / page).read_text(encoding="utf-8") for page in PAGES)
NEW_VERBS = ("compare", "accept", "export", "validate", "query", "ab")


@pytest.mark.parametrize("name", [*METRICS, *FORMATS, *get_args(Verdict)])
def test_every_metric_format_and_verdict_is_explained(name: str) -> None:
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("verb", NEW_VERBS)
def test_every_option_that_is_named_exists_and_the_other_way_round(verb: str) -> None:
    assert f"python -m bench {verb}" in TEXT
    known = {name for parameter in command(verb).params for name in parameter.opts if name.startswith("-")}
    typed = re.findall(rf"python -m bench {verb}\b([^`\n]*)", TEXT)
    used = {word for line in typed for word in re.findall(r"(?<=\s)--?[a-z][a-z-]*", line)}
    assert used <= known
    if verb == "compare":
        everyday = {
            "--json",
            "--fail-on",
            "--strict",
            "--vary",
            "--results",
            "--across-hardware",
            "--reference",
        }
        assert all(option in TEXT for option in everyday)


def test_limits_of_the_text_are_limits() -> None:
    texts = set(re.findall(r"--fail-on (\S+?)[`\s]", TEXT))
    assert texts
    assert all(gate.limit(text).text == text for text in texts)


def test_numbers_of_the_text_are_the_programs() -> None:
    assert f"at least {noise.LEAST:.1%}".replace("%", " %") in TEXT
    assert f"Without one, {noise.DEFAULT * 100:g} %" in TEXT
    assert f"{ratio.FAR_OUT:g} robust standard deviations" in TEXT
    assert f"have {ratio.ENOUGH_FOR_RANKS} blocks or more" in TEXT
    assert f"wider than ±{ratio.STEADY * 100:g} %" in TEXT
