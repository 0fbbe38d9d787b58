"""APIs of OpenAI's interface by what a model makes, with their paths and what their requests need.

api_of(case)                # "chat" of text, "images", "speech"; None where there is none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from bench.catalog.cases import Case
from bench.catalog.server_spec import ServerSpec

Api = Literal["chat", "completions", "images", "speech"]
PATHS: Mapping[Api, str] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "images": "/images/generations",
    "speech": "/audio/speech",
}
OF_MODALITY: Mapping[str, tuple[Api, ...]] = {
    "text": ("chat", "completions"),
    "image": ("images",),
    "speech": ("speech",),
}
"""By modality; the first is asked where the catalogue names none."""
MEDIA: tuple[Api, ...] = ("images", "speech")
"""Whose answers are a file, and have no tokens."""
EXTRA: Mapping[Api, Mapping[str, Any]] = {
    "chat": {"ignore_eos": True},
    "completions": {"ignore_eos": True},
    "images": {"num_inference_steps": "{steps}", "seed": "{seed}"},
    "speech": {"voice": "alloy"},
}
"""Fields with which servers make what the case has: vLLM, SGLang and llama.cpp's server go on to the length,
vLLM and SGLang make a picture in these steps. `serve: {extra: ...}` has others in their place."""


def api_of(case: Case) -> Api | None:
    """The API for a case's model; `None` where no such API makes what it makes, or not by the one named."""
    of_modality = OF_MODALITY.get(case.model.engine, ())
    named = (case.model.serve or ServerSpec()).api
    if named is None:
        return of_modality[0] if of_modality else None
    return named if named in of_modality else None
