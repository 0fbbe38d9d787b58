"""Records whose texts and values are as odd as a file can hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.core.block import Idle, Phase
from bench.core.record import Record
from tests.support.factory import CARBON, block, case, record


def everywhere(text: str) -> Iterator[tuple[str, Record]]:
    """The sample record with a text in each place where a person's or a machine's text may stand."""
    yield "label", record(label=text)
    yield "created", record(created=text)
    yield "model", record(case=case(model=text))
    yield "unit", record(case=case(unit=text))
    yield "dtype", record(case=case(dtype=text))
    yield "hash", record(case=case(hash=text))
    yield "weights", record(case=case(weights={"kind": "hub", "hub_id": text}))
    yield "options", record(case=case(options={text: text}))
    yield "reasons", record(status="invalid", reasons=[text])
    yield "blocks", record(blocks=[block(valid=False, reasons=[text])])
    yield "absent", record(absent={text: text})
    yield "machine", record(machine={"name": text, "device": text})
    yield "provenance", record(provenance={"command": text, "libraries": {text: text}})
    yield "engine", record(engine={"parameters": {text: 1}, "used": {text: text}})
    failure = {"stage": text, "message": text, "remedy": text}
    yield "failure", record(status="failed", reasons=[text], blocks=[], failure=failure)
    yield "requested", record(requested={"batch": 8, "reason": text})
    idle = Idle(power_w=1.0, sd_w=0.1, before=1.0, after=1.0, kind="measured")
    yield "idle", record(idle={text: idle})
    yield "phases", record(blocks=[block(phases={text: Phase(seconds=1.0, count=1)})] * 5)
    yield "carbon", record(carbon=CARBON.model_copy(update={"source": text, "country": text}))


CONTROLS = "\x1b[31m\x1b]0;title\x07\x08\r\x0b\x00\x7f\x9b31m\u202e\u2066\u2028"

GROSS = ("figures", "energy_per_unit_j", "gpu", "gross")


def gross(value: float, low: float, high: float) -> dict[str, float]:
    """A headline as it stands in a record."""
    return {"value": value, "low": low, "high": high, "n": 5}


ODD: dict[str, tuple[tuple[str | int, ...], Any]] = {
    "an interval beyond every number": (GROSS, gross(1e308, -1e308, 1e308)),
    "an interval below every number": (GROSS, gross(5e-324, 0.0, 5e-324)),
    "a figure below zero": (GROSS, gross(-3.0, -4.0, -2.0)),
    "a figure of zero": (GROSS, gross(0.0, 0.0, 0.0)),
    "no figure": (GROSS, None),
    "no time": (("figures", "time_per_unit_s"), None),
    "time without end": (("ended", "max_seconds"), 1e308),
    "a block that ends before it begins": (("blocks", 0, "end_ns"), 0),
    "a block without energy": (("blocks", 0, "energy"), {}),
    "a block without items": (("blocks", 0, "items"), 0),
    "no provenance": (("provenance",), {}),
    "a list of libraries": (("provenance", "libraries"), ["torch"]),
    "no machine": (("machine",), {}),
    "parameters in words": (("engine", "parameters"), {"model": "many"}),
    "no options": (("case", "options"), {}),
    "no carbon": (("carbon",), None),
}
