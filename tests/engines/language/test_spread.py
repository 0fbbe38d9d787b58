"""The map of BLOOM-176B over the memory of eight cards, its shape alone: nothing of it is allocated."""

from __future__ import annotations

import pytest
import torch

from bench.engines.device import placed
from bench.engines.language import text_loading
from bench.engines.weights import architectures, random_weights
from bench.errors import EngineError

H100_BYTES = 80 * 2**30


@pytest.fixture(scope="module")
def bloom() -> torch.nn.Module:
    (component,) = architectures.load("bloom-176b").components
    return random_weights.empty(component, torch.bfloat16)


def spread(bloom: torch.nn.Module, cards: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    devices = tuple(f"cuda:{number}" for number in range(cards))
    monkeypatch.setattr(placed, "free_memory", lambda names: dict.fromkeys(range(len(names)), H100_BYTES))
    return text_loading._spread(bloom, torch.bfloat16, devices)


def test_every_block_is_whole_on_one_of_eight_cards_and_each_has_some(
    bloom: torch.nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    device_map = spread(bloom, 8, monkeypatch)
    assert set(device_map.values()) == set(range(8))
    blocks = [place for name, place in device_map.items() if name.startswith("transformer.h.")]
    assert len(blocks) == 70
    assert blocks == sorted(blocks), "one after the other"
    held = [sum(_bytes(bloom, name) for name, at in device_map.items() if at == card) for card in range(8)]
    assert max(held) < H100_BYTES
    assert sum(held) == pytest.approx(352.5e9, rel=0.03)


def _bytes(model: torch.nn.Module, name: str) -> int:
    return sum(parameter.numel() * 2 for parameter in model.get_submodule(name).parameters())


def test_four_cards_are_too_few(bloom: torch.nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError, match="does not fit on the devices") as caught:
        spread(bloom, 4, monkeypatch)
    assert caught.value.out_of_memory
