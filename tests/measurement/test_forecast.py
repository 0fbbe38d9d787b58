"""The line before a run: cases, bytes that are not in the cache yet, and the longest time."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalog.axes import SweepAxes
from bench.catalog.cases import Overrides, Planned, plan
from bench.catalog.loading import find, load
from bench.catalog.models import Measure
from bench.measurement.forecast import forecast

MEASURE = Measure(max_seconds=60.0, idle_seconds=5.0, settle_seconds=0.0)


def cases(*names: str) -> list[Planned]:
    """Each model twice, at two batches, with weights of the hub."""
    sweep = SweepAxes.model_validate({"batch": [1, 2]})
    return plan(load(find()), list(names), Overrides(measure=MEASURE, weights="hub", sweep=sweep))


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_a_model_is_downloaded_once_for_all_its_cases() -> None:
    planned = cases("bloom-3b", "bloom-560m")
    sizes = {item.case.name: item.case.model.memory_gb for item in planned}
    found = forecast(planned, "cuda")
    assert found.cases == 4
    assert found.download_bytes == pytest.approx(1e9 * (sizes["bloom-3b"] + sizes["bloom-560m"]))
    assert found.sentence.startswith("4 cases, about 7.")
    assert " GB to download, up to " in found.sentence


def test_what_is_in_the_cache_is_not_downloaded(hub_cache: Path) -> None:
    snapshot = hub_cache / "models--bigscience--bloom-560m" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    assert forecast(cases("bloom-560m"), "cuda").download_bytes > 0, "an empty snapshot has no files"
    (snapshot / "model.safetensors").touch()
    assert forecast(cases("bloom-560m"), "cuda").download_bytes == 0
    assert "download" not in forecast(cases("bloom-560m"), "cuda").sentence


def test_random_weights_are_not_downloaded() -> None:
    planned = plan(load(find()), ["bloom-3b"], Overrides(measure=MEASURE, weights="random"))
    assert forecast(planned, "cuda").sentence.startswith("1 case, up to ")


def test_on_a_cpu_no_longest_time_is_promised_but_for_toys() -> None:
    measure = Overrides(measure=MEASURE, weights="random")
    toys = plan(load(find()), ["smoke"], measure)
    assert "is not known" not in forecast(toys, "cpu").sentence
    planned = [*toys, *plan(load(find()), ["sdxl"], measure)]
    assert "is not known" not in forecast(planned, "cuda").sentence
    assert forecast(planned, "cpu").sentence.endswith(
        " beside loading; on a CPU one batch may take longer than that: the time of sdxl is not known"
    )
