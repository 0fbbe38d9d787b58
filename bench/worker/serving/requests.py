"""Bodies of a case's requests, by number, for each API.

requests = Requests(case, spec, "tiny")
requests.body(7)                    # {"model": "tiny", "messages": [...], "max_tokens": 20, ...}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.catalog.cases import Case
from bench.catalog.prompts import prompts
from bench.catalog.server_spec import ServerSpec
from bench.errors import EngineError
from bench.worker.serving.apis import EXTRA, MEDIA, OF_MODALITY, api_of
from bench.worker.serving.prompts import ServedPrompts

PLACES = ("new_tokens", "steps", "guidance", "width", "height", "seed")
"""What a further field of a request may have in braces: options of the case."""


class Requests:
    """The bodies of a case's requests: greedy and streamed where it writes text, each prompt once."""

    def __init__(self, case: Case, spec: ServerSpec, name: str) -> None:
        api, workload = api_of(case), case.workload
        if api is None:
            raise EngineError(
                f"No API of a server {'named ' + spec.api + ' ' if spec.api else ''}makes {case.model.unit}s "
                f"of a model of {case.model.engine}.",
                f"Servers are asked for {', '.join(OF_MODALITY)}; leave out --workload for the rest.",
                missing=True,
            )
        if api in MEDIA and workload.kind == "saturated":
            raise EngineError(
                "saturated is a window of tokens, and a picture or a clip comes whole.",
                "Ask with --workload concurrency:N.",
                missing=True,
            )
        self.api = api
        self.prompts = ServedPrompts(
            prompts(case.model.engine).texts, workload.prompt_tokens, spoken=api == "speech"
        )
        as_long = EXTRA[api] if api in MEDIA or workload.ends == "length" else {}
        self._extra: Mapping[str, Any] = as_long if spec.extra is None else spec.extra
        self.name, self.seed = name, case.seed
        self.new_tokens = int(getattr(case.options, "new_tokens", 0))
        known = {**dict(case.options), "seed": case.seed}
        self._places = {place: known[place] for place in PLACES if known.get(place) is not None}

    def body(self, number: int, new_tokens: int | None = None) -> dict[str, Any]:
        """One request, as JSON."""
        text = self.prompts.text(number)
        asked: dict[str, Any] = {"model": self.name}
        if self.api == "images":
            size = f"{self._places['width']}x{self._places['height']}"
            asked |= {"prompt": text, "n": 1, "size": size, "response_format": "b64_json"}
        elif self.api == "speech":
            asked |= {"input": text, "response_format": "wav"}
        else:
            asked |= {"max_tokens": new_tokens or self.new_tokens, "temperature": 0, "seed": self.seed}
            asked |= {"stream": True, "stream_options": {"include_usage": True}}
            asked |= {"prompt": text} if self.api == "completions" else _as_chat(text)
        places = self._places | ({"new_tokens": new_tokens} if new_tokens else {})
        merged = asked | {key: _filled(value, places) for key, value in self._extra.items()}
        return {key: value for key, value in merged.items() if value is not None}

    def described(self) -> dict[str, Any]:
        """Fields that are the same in all of them."""
        fixed: dict[str, Any] = {} if self.api in MEDIA else {"temperature": 0}
        if self.api == "speech":
            fixed = {"seconds": "not asked for: a clip is as long as the server speaks"}
        fixed = {key: value for key, value in fixed.items() if self._extra.get(key, value) is not None}
        return {"api": self.api, **fixed, "request fields": dict(self._extra), "asked for": self.name}


def _filled(value: Any, places: Mapping[str, Any]) -> Any:
    """A further field, with the case's options for places such as `{steps}`: a number where that is all."""
    if not isinstance(value, str):
        return value
    for name, filling in places.items():
        if value == f"{{{name}}}":
            return filling
        value = value.replace(f"{{{name}}}", str(filling))
    return value


def _as_chat(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}
