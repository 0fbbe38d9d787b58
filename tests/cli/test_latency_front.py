"""The front of joules against latency as `compare` prints it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Typed
from tests.compare.machines import LOADS
from tests.support.sample import save


def test_compare_and_its_document_have_the_front(typed: Typed, tmp_path: Path) -> None:
    for number, record in enumerate(LOADS):
        save(tmp_path / "r" / f"{number}.json", record)
    text = " ".join(typed("compare", "--across-hardware", tmp_path / "r").out.split())
    assert "Joules against latency: J/page at scope gpu, measured" in text
    assert "no other load takes both fewer joules and less time" in text
    found = json.loads(typed("compare", "--across-hardware", tmp_path / "r", "--json").out)
    (front,) = found["latency_fronts"]
    assert [point["front"] for point in front["points"]] == [True, True, False, True]
    assert front["points"][0]["end_to_end_p99_s"] == 3.0
    save(tmp_path / "one" / "0.json", LOADS[0])
    assert "against latency" not in typed("compare", "--across-hardware", tmp_path / "one").out
