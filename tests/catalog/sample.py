"""A small catalogue to put mistakes into, and the two questions asked of every broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.loading import load
from bench.catalog.models import Catalogue
from bench.errors import CatalogError

SAMPLE = """\
# A catalogue with one of everything.
schema: 1

defaults:
  country: USA
  text:
    dtype: bfloat16
    batch: 1
    seed: 0
    new_tokens: 340
    static_cache: false
    compile: false
  image:
    dtype: bfloat16
    batch: 2
    seed: 0
    compile: false
  measure:
    target: 0.02
    max_seconds: 900
    idle_seconds: 10
    settle_seconds: 3
    warmup_max_seconds: 60
    min_blocks: 5
    cool_down_max_seconds: 120
    quick: false

models:
  writer:
    engine: text
    unit: page
    family: BLOOM
    hub_id: bigscience/bloom-560m
    revision: ac2ae5fab2ce3f9f40dc79b5ca9f637430d24971
    licence: bigscience-bloom-rail-1.0
    gated: false
    parameters_b: 0.559
    memory_gb: 1.1
    architecture: bloom-560m
    defaults: {new_tokens: 200}
  hub-writer:
    engine: text
    unit: page
    family: Qwen
    hub_id: Qwen/Qwen3-8B
    revision: main
    licence: apache-2.0
    gated: false
    parameters_b: 8.19
    memory_gb: 16.4
  painter:
    engine: image
    unit: image
    family: Stable Diffusion
    licence: openrail++
    gated: false
    parameters_b: 0.001
    memory_gb: 0.01
    architecture: tiny-stable-diffusion
    defaults: {width: 64, height: 64, steps: 4, guidance: 7.5}

suites:
  short:
    doc: Two pages and an image.
    cases:
      - {model: writer}
      - {model: writer, batch: 8}
      - {model: painter}
    measure: {max_seconds: 20}
  made-up:
    doc: Random weights.
    weights: random
    cases:
      - model: writer
        new_tokens: 16
"""


def changed(old: str, new: str, text: str = SAMPLE) -> str:
    """The text with the one place that holds `old` replaced."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def line_of(part: str, text: str) -> int:
    """The line, counted from one, on which `part` first stands."""
    return text[: text.index(part)].count("\n") + 1


def write(folder: Path, text: str | bytes = SAMPLE) -> Path:
    """A catalogue file holding `text`."""
    path = folder / "models.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder: Path, text: str = SAMPLE) -> Catalogue:
    """The catalogue that `text` gives."""
    return load(write(folder, text))


def refusal(path: Path) -> str:
    """What is said of a broken catalogue; fails for one that loads or raises anything else."""
    with pytest.raises(CatalogError) as caught:
        load(path)
    assert caught.value.exit_status == 2
    return str(caught.value)
