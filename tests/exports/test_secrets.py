"""A secret in a record that another process wrote goes into no export, on stdout or in a file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.cli.export_formats import FORMATS
from tests.cli.conftest import Typed, plain_surroundings, typed
from tests.support.factory import case
from tests.support.sample import run, save

__all__ = ["plain_surroundings", "typed"]
TEXTS = [name for name in FORMATS if name not in {"parquet", "package", "model-card", "ai-energy-score"}]
"""Those with names of cases: the others have the model's name at the hub alone."""
OF_TWO = {"junit", "github-summary"}


@pytest.mark.parametrize("name", TEXTS)
def test_no_export_has_a_secret_of_a_record_from_elsewhere(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    secret = 'my_secret "word"'
    path = save(
        tmp_path / "records" / "a.json", run(300, random.Random(1), case=case(model=secret), label=secret)
    )
    monkeypatch.setenv("DEPLOY_SECRET", secret)
    paths = [path, path] if name in OF_TWO else [path]
    shown = typed("export", name, *paths)
    assert typed("export", name, *paths, "-o", "out").status == shown.status == 0, shown.err
    text = shown.out + Path("out").read_text()
    assert "***" in text
    assert "my_secret" not in text.replace("\\", "")
