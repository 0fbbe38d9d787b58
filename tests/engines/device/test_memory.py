"""The most memory that work took: what went before it is forgotten, what it let go of is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.engines.device import memory
from bench.engines.device.memory import forget_peak, peak

CPU = ("cpu",)
MB = 1_000_000


def used() -> int:
    found = peak(CPU, forget_peak(CPU))
    assert found.used_bytes is not None
    return int(found.used_bytes)


def test_on_a_cpu_it_is_the_process_since_it_was_last_forgotten() -> None:
    """A page counts once it is written to; 200 MB are far beyond what the interpreter does meanwhile."""
    bytearray(200 * MB)
    before = used()
    bytearray(200 * MB)
    assert peak(CPU).used_bytes == pytest.approx(before + 200 * MB, abs=50 * MB)
    assert used() == pytest.approx(before, abs=50 * MB)


def test_where_loading_cannot_be_forgotten_there_is_no_figure_but_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "CLEAR", tmp_path)
    found = peak(CPU, forget_peak(CPU))
    assert (found.used_bytes, found.of) == (None, "process-resident")
    assert found.reason == "Linux does not let the peak of loading be forgotten: Is a directory"


def test_where_linux_does_not_say_there_is_no_figure_but_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    (tmp_path / "status").write_text("VmRSS: 12 kB\n")
    assert peak(CPU).used_bytes is None
    assert "does not show" in (peak(CPU).reason or "")


@pytest.mark.gpu
def test_on_a_card_it_is_the_allocators_since_it_was_last_forgotten() -> None:
    import torch

    card = ("cuda:0",)
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    torch.empty(400 * MB, dtype=torch.uint8, device="cuda:0")
    forget_peak(card)
    kept = torch.cuda.memory_allocated("cuda:0")
    torch.empty(100 * MB, dtype=torch.uint8, device="cuda:0")
    found = peak(card)
    assert found.used_bytes == pytest.approx(kept + 100 * MB, abs=2 * MB)
    assert found.used_bytes is not None
    assert (found.reserved_bytes or 0) >= found.used_bytes
