"""Windows by name, as in `--workload concurrency:8`, as keys of a case; presets of other benchmarks too.

    keys_of("rate:2.5")            # {"workload": Workload(kind="rate", load=2.5, producer="endpoint")}
    keys_of("saturated:64:4096")   # 4096 requests; without the number as many as ML.ENERGY v3 has
    keys_of("mlenergy-v3:64")      # saturated, 1024 requests, up to 4096 tokens, ended by the model

A preset is a shorthand, not a kind of its own: the case and its hash have the keys it is short for.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from bench.core.near_names import unknown
from bench.core.workload import ENDPOINT, WITHOUT_LOAD, Workload
from bench.errors import UsageError

WINDOWS = ("single", "concurrency", "rate", "saturated")
INFERENCEX = {"inferencex-1k1k": 1024, "inferencex-8k1k": 8192}
"""Prompt tokens by preset; answers have 1024 in both."""
MLENERGY_V3 = "mlenergy-v3"
EXAMPLES = (
    "single, concurrency:8, rate:2.5, saturated:64, saturated:64:4096, mlenergy-v3:64, inferencex-1k1k:8, "
    "inferencex-8k1k:8"
)


def keys_of(text: str) -> dict[str, Any]:
    """The keys of a case that a window's name is short for. Raises UsageError."""
    name, _, number = text.partition(":")
    names = (*WINDOWS, MLENERGY_V3, *INFERENCEX)
    if name not in names:
        raise unknown("window", name, names)
    number, _, requests = number.partition(":") if name == "saturated" else (number, "", "")
    load = _number(text, number, "load") if number or name not in WITHOUT_LOAD else None
    asked = _number(text, requests, "number of requests") if requests else None
    try:
        return _keys(name, load, asked)
    except ValidationError as error:
        seen = error.errors(include_url=False)[0]["msg"].replace("`", "")
        raise UsageError(
            f'The workload "{text}" does not hold: {seen}.', f"Write one of {EXAMPLES}."
        ) from None


def _number(text: str, number: str, noun: str) -> float:
    try:
        return float(number)
    except ValueError:
        raise UsageError(f'The workload "{text}" has no {noun}.', f"Write one of {EXAMPLES}.") from None


def _keys(name: str, load: float | None, asked: float | None) -> dict[str, Any]:
    if name in INFERENCEX:
        window = Workload(kind="concurrency", load=load, producer=ENDPOINT, prompt_tokens=INFERENCEX[name])
        return {"workload": window, "new_tokens": 1024}
    if name == MLENERGY_V3:
        window = Workload(
            kind="saturated", load=load, producer=ENDPOINT, requests=requests_of(load or 1), ends="model"
        )
        return {"workload": window, "new_tokens": 4096}
    if name == "saturated":
        requests = requests_of(load or 1) if asked is None else int(asked)
        return {"workload": Workload(kind="saturated", load=load, producer=ENDPOINT, requests=requests)}
    return {"workload": Workload.model_validate({"kind": name, "load": load, "producer": ENDPOINT})}


def requests_of(running: float) -> int:
    """Requests of a window of ML.ENERGY v3, by the number that the server runs at a time."""
    return 1024 * (1 if running < 256 else 2 if running < 768 else 3)
