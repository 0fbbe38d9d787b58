"""The files of shapes: all of them load, say where they are from, and have a fingerprint of the work only."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from bench.engines.weights import architectures
from bench.errors import CatalogError, UsageError


@pytest.mark.parametrize("name", architectures.names())
def test_every_file_is_complete(name: str) -> None:
    shape = architectures.load(name)
    assert len(shape.source) > 40
    assert all(count > 0 for count in shape.parameters.values())
    assert all(one.max_length > 0 for one in shape.tokenizers)
    assert re.fullmatch("[0-9a-f]{64}", architectures.fingerprint(name))
    if shape.kind in ("text", "embedding"):
        assert shape.vocabulary == shape.tokenizers[0].vocabulary
        assert shape.tokens_per_word is not None
        assert shape.tokens_per_word.kind == "assumed"
        assert shape.tokens_per_word.source
    elif shape.kind == "image" and [part.name for part in shape.components] == ["network"]:
        assert (shape.pipeline, shape.scheduler, len(shape.components)) == (None, None, 1)
    elif shape.parts:
        assert shape.parameters == {
            f"{part}.{component}": count
            for part, of in shape.parts.items()
            for component, count in architectures.load(of).parameters.items()
        }
    elif shape.kind == "speech":
        assert shape.parameters.keys() <= {"model", "vocoder"}
        assert (shape.pipeline, shape.scheduler) == (None, None)
    elif shape.kind == "image" or len(shape.components) > 1:
        assert shape.pipeline is not None
        assert shape.scheduler is not None
    else:
        assert shape.kind in ("audio", "recognition")


def test_fingerprints_differ() -> None:
    found = [architectures.fingerprint(name) for name in architectures.names()]
    assert len(set(found)) == len(found)


def with_content(monkeypatch: pytest.MonkeyPatch, content: Mapping[str, Any]) -> None:
    monkeypatch.setattr(architectures, "_content", lambda _: content)
    architectures.fingerprint.cache_clear()
    architectures.load.cache_clear()


def test_prose_does_not_change_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    content = architectures._content("tiny-llama")
    before = architectures.fingerprint("tiny-llama")
    with_content(monkeypatch, {**content, "source": "Somewhere else.", "tokens_per_word": None})
    assert architectures.fingerprint("tiny-llama") == before
    with_content(monkeypatch, {**content, "vocabulary": 513})
    assert architectures.fingerprint("tiny-llama") != before
    architectures.fingerprint.cache_clear()


def test_a_changed_part_changes_the_fingerprint_of_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    before, content = architectures.fingerprint("tiny-voice"), architectures._content
    other = {**content("tiny-vits"), "kind": "other"}
    monkeypatch.setattr(
        architectures, "_content", lambda name: other if name == "tiny-vits" else content(name)
    )
    architectures.fingerprint.cache_clear()
    assert architectures.fingerprint("tiny-voice") != before
    architectures.fingerprint.cache_clear()


def test_an_unknown_name_and_a_broken_file_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="Unknown architecture 'bloom-1'"):
        architectures.load("bloom-1")
    with_content(monkeypatch, {"kind": "text"})
    with pytest.raises(CatalogError, match=r"tiny-llama\.yaml is incomplete: KeyError\('source'\)"):
        architectures.load("tiny-llama")
    architectures.load.cache_clear()


def test_importing_the_package_imports_no_torch() -> None:
    code = (
        "import sys, bench.engines.weights.architectures as a; a.load('sdxl'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
