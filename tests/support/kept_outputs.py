"""A record with kept outputs, as `bench run --save-outputs` leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.core.record import Record
from bench.store import results
from tests.support import factory

LONG = "It was a long day at the sea, and the ferry was late for all of us. "


def stored(folder: Path, texts: Sequence[str], name: str = "a", **more: Any) -> tuple[Path, Record]:
    """One text a block of 290 to 310 J, after a warm-up that kept none."""
    joules = (290.0, 295.0, 300.0, 305.0, 310.0)
    blocks = [factory.block(500.0, warmup=True)]
    blocks += [factory.block(joules[i % 5]) for i in range(len(texts))]
    files = [f"outputs/{name}-block{i:02d}-000-0.txt" for i in range(1, len(texts) + 1)]
    (folder / "outputs").mkdir(parents=True, exist_ok=True)
    for file, text in zip(files, texts, strict=True):
        (folder / file).write_text(text, encoding="utf-8")
    record = factory.record(blocks=blocks, outputs=files, **more)
    path = folder / f"{name}.json"
    path.write_text(results.to_json(record), encoding="utf-8")
    return path, record
