"""Names from a driver that are not UTF-8, as NVIDIA 555.85 gave under WSL2."""

from __future__ import annotations

from pathlib import Path

import pynvml
import pytest

from bench.meters.gpus import GpuDrivers, nvml
from bench.meters.nvml_library import reason_of
from bench.meters.sources.rapl import Rapl
from tests.standin import StandIn

BYTES = b"\xf8\x1d\xff"
TEXT = "\ufffd\x1d\ufffd"


@pytest.mark.parametrize("name", ["name", "uuid"])
def test_a_card_is_named_with_replacement(clocked: StandIn, name: str) -> None:
    setattr(clocked.gpu(0), name, BYTES)
    with GpuDrivers() as drivers:
        assert getattr(drivers.gpus[0], name) == TEXT
        assert len(drivers.gpus) == 2
        assert getattr(drivers.gpus[0].identity(), name) == TEXT


def test_the_driver_version_is_given_with_replacement(clocked: StandIn) -> None:
    clocked.control.driver_version = BYTES
    with GpuDrivers():
        assert nvml.versions().driver == TEXT


def test_an_error_without_words_of_ours_has_those_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def words(code: int) -> bytes:
        return BYTES

    monkeypatch.setattr(pynvml, "nvmlErrorString", words)
    assert reason_of(pynvml.NVMLError(987)) == f"NVML error 987 ({TEXT})"


def test_a_rapl_zone_of_an_odd_name_costs_only_itself(tmp_path: Path) -> None:
    for number, name in enumerate([b"package-0\n", BYTES]):
        zone = tmp_path / f"intel-rapl:{number}"
        zone.mkdir()
        (zone / "name").write_bytes(name)
        (zone / "energy_uj").write_text("1000000\n")
        (zone / "max_energy_range_uj").write_text("262143328850\n")
    rapl = Rapl(tmp_path)
    assert rapl.domains == ("cpu:package-0",)
