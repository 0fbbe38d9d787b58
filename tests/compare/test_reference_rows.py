"""Published figures of clips beside records that count seconds."""

from __future__ import annotations

from typing import Any

import pytest

from bench.compare.across import Ranking, across
from bench.compare.reference_rows import candidates, fitting
from bench.footprint.references import NO_REFERENCES
from tests.compare.machines import on
from tests.support.factory import case
from tests.support.reported import source


def board(hub_id: str, **changes: Any) -> Ranking:
    """300 J a unit of one model on one card."""
    weights = case()["weights"] | {"hub_id": hub_id}
    made = across([source([on("NVIDIA H100 80GB HBM3", 300, case=case(weights=weights, **changes))])])
    return made.boards[0]


def test_a_film_stands_beside_clips_by_the_length_that_they_state() -> None:
    options = {"width": 480, "height": 480, "steps": 50, "frames": 49, "fps": 8.0}
    found = fitting(
        board("zai-org/CogVideoX-2b", engine="video", unit="video_second", options=options),
        candidates(NO_REFERENCES),
    )
    of = {one.row.id: one for one in found}
    mine = of["delavande2025.gpu.cogvideox_2b"]
    assert mine.joules.value == pytest.approx(29842 / (49 / 8))
    assert mine.ratio == pytest.approx(29842 / (49 / 8) / 300, rel=0.02)
    assert "size 720x480, not 480x480" in mine.unlike
    assert not any("frames" in each or "fps" in each for each in mine.unlike)
    assert "mlenergy3.H100.zai-org__CogVideoX-2b" in of
    assert not any("per output token" in each for one in found for each in one.unlike)


def test_another_length_is_among_what_is_unlike() -> None:
    found = fitting(
        board("cvssp/audioldm2", engine="audio", unit="audio_second", options={"seconds": 5.0, "steps": 200}),
        candidates(NO_REFERENCES),
    )
    of = {one.row.id: one for one in found}
    assert of["passoni2025.audioldm2.steps-200"].joules.value == pytest.approx(147.3)
    assert "seconds 10, not 5.0" in of["passoni2025.audioldm2.steps-200"].unlike
    assert "steps 100, not 200" in of["passoni2025.audioldm2"].unlike
    assert "batch 10, not 1" in of["passoni2025.audioldm2.batch-10"].unlike


def test_a_served_case_is_compared_by_its_load_and_with_a_server() -> None:
    of_server = {"kind": "saturated", "load": 64, "requests": 1024, "producer": "endpoint"}
    found = fitting(board("Qwen/Qwen3-8B", workload=of_server), candidates(NO_REFERENCES))
    of = {one.row.id.rpartition(".")[2]: one for one in found}
    assert not any("requests at once" in each for each in of["at-64"].unlike)
    assert "requests at once 512, not 64" in of["at-512"].unlike
    assert not any("in one process" in each for one in found for each in one.unlike)
    assert found.index(of["at-64"]) < found.index(of["at-8"]) < len(found)
