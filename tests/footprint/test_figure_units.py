"""Published joules by the second: only where the source states how long a clip is."""

from __future__ import annotations

import pytest

from bench.errors import UsageError
from bench.footprint.bundled_rows import Published
from bench.footprint.figure_units import joules_per, seconds_of
from bench.footprint.listing import select
from bench.footprint.reference import published

ROWS = {row.id: row for row in published()}


@pytest.mark.parametrize(
    ("name", "unit", "joules"),
    [
        ("passoni2025.audioldm2", "audio_second", 74.7),
        ("ttsenergy2026.kokoro", "audio_second", 0.99),
        ("mlenergy3.H100.Wan-AI__Wan2.1-T2V-1.3B-Diffusers", "video_second", 64670 / (81 / 15)),
        ("delavande2025.gpu.cogvideox_2b", "video_second", 29842 / (49 / 8)),
        ("delavande2025.cogvideox_2b", "video_second", 9.67 * 3600 / (49 / 8)),
        ("mittr2025.cogvideox_new.video", "video_second", 3_400_000 / 5),
        ("baquero2024.llama65b.page", "page", 1332.0),
        ("mittr2025.sd3medium.image", "image", 2282.0),
    ],
)
def test_joules_of_a_clip_become_joules_of_its_seconds(name: str, unit: str, joules: float) -> None:
    found = joules_per(ROWS[name], unit)
    assert found is not None
    assert found.value == pytest.approx(joules)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("mlenergy2.H100.ali-vilab__i2vgen-xl", "video_second"),  # no rate
        ("passoni2025.audioldm2", "video_second"),
        ("passoni2025.audioldm2", "heard_second"),
        ("altman2025.chatgpt", "page"),
        ("google2025.gemini.co2", "page"),
        ("delavande2025.video", "video_second"),  # no single value
    ],
)
def test_what_counts_something_else_or_states_no_length_has_none(name: str, unit: str) -> None:
    assert joules_per(ROWS[name], unit) is None


def test_the_cards_part_of_a_run_is_less_than_the_whole_machines() -> None:
    """Two rows of one run: its cards alone, and with CPU and memory modelled."""
    pairs = [
        (row, ROWS[row.id.replace(".gpu.", ".")])
        for row in published()
        if ".gpu." in row.id and row.id.replace(".gpu.", ".") in ROWS
    ]
    assert len(pairs) == 7
    for cards, host in pairs:
        assert cards.joules is not None
        assert host.joules is not None
        assert 0.7 < cards.joules.value / host.joules.value < 0.95, cards.id
        assert seconds_of(cards) == seconds_of(host)


def test_a_batch_costs_less_a_clip_and_more_steps_more() -> None:
    for row in published():
        if row.source == "passoni2025" and row.value is not None:
            first = ROWS[row.id.removesuffix(".steps-200").removesuffix(".batch-10")]
            assert first.value is not None
            assert (row.value > first.value) == row.id.endswith(".steps-200")
            assert (row.value < first.value) == row.id.endswith(".batch-10")


def test_rows_are_chosen_by_a_unit_of_models_or_of_their_own() -> None:
    sound = select(unit="audio_second")
    assert {row.modality for row in sound} == {"audio", "speech"}
    assert {row.modality for row in select("speech", unit="audio_second")} == {"speech"}
    assert {row.unit for row in select(unit="training_run")} == {"training_run"}
    assert select(unit="heard_second") == []
    film = select("video", "gpu", unit="video_second")
    assert len(film) >= 20
    assert all(joules_per(row, "video_second") for row in film)
    with pytest.raises(UsageError, match='Did you mean "video_second"'):
        select(unit="vidoe_second")


def test_the_length_is_that_of_the_conditions() -> None:
    row = ROWS["passoni2025.tango"]
    assert seconds_of(row) == 10.0
    timed = Published.model_validate(row.model_dump() | {"conditions": {"frames": 48, "fps": 24}})
    assert seconds_of(timed) == 2.0
    assert seconds_of(Published.model_validate(row.model_dump() | {"conditions": {"frames": 48}})) is None
