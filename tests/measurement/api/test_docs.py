"""The snippets of docs/energy-api.md and of the README run as they stand, one after the other."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.core.energy_result import EnergyResult
from bench.measurement import idle
from bench.measurement.api import Meter, Window
from tests.standin import StandIn
from tests.support.processes import ROOT

PAGES = ["docs/energy-api.md", "README.md"]


def snippets(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.M)


@pytest.mark.parametrize("page", PAGES)
def test_snippets_run(
    page: str,
    with_gpus: StandIn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    batches = [["a cat", "a dog"]] * 2
    names: dict[str, Any] = {
        "batches": batches,
        "prompts": batches[0],
        "pipe": list,
        "generate": lambda prompts: ["word " * 125 for _ in prompts],
    }
    shorten(monkeypatch)
    found = snippets(page)
    assert found
    for snippet in found:
        exec(compile(snippet, page, "exec"), names)
    assert capsys.readouterr().out
    assert isinstance(names["window"], Window)
    if page == "docs/energy-api.md":
        told = EnergyResult.model_validate(json.loads((tmp_path / "energy.json").read_text()))
        assert [block.units for block in told.blocks] == [1, 1], "two texts of 125 words are a page"
        assert [block.units for block in names["paint"].meter.result().blocks] == [2, 2]


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at idle of a fiftieth of the time."""
    sleep = time.sleep
    monkeypatch.setattr(idle, "time", SimpleNamespace(sleep=lambda seconds: sleep(seconds / 50)))


def test_every_public_value_is_documented() -> None:
    page = (ROOT / "docs/energy-api.md").read_text(encoding="utf-8")
    for kind in (Window, EnergyResult):
        own = {name for name in vars(kind) if not name.startswith("_")} - {"model_config", "model_fields"}
        fields = set(getattr(kind, "model_fields", {})) - {"schema_name", "status", "reasons"}
        missing = [name for name in sorted((own | fields) - {"closed", "unit"}) if f"`{name}" not in page]
        assert not missing, f"{kind.__name__}: {missing}"
    options = set(Meter.__init__.__annotations__) - {"return"}
    assert not [name for name in options if f"| `{name}` |" not in page]
