"""Numbers that a server states of itself at `/metrics`: running requests, tokens, hits of its prefix cache.

    watch = MetricsWatch(client, root)
    ...                                  # watch.look() once a second, while a load is held
    watch.between(start_ns, end_ns)      # StatedLoad(running=7.9, cache_hit_share=0.02, ...)

vLLM, SGLang and llama.cpp's server are known by the names of their metrics; what a server does not name is
absent. A server answers a look in a few milliseconds, beside its requests.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import httpx2
import numpy as np

from bench.worker.serving.client import ServerClient

Stated = Literal[
    "running",
    "waiting",
    "input_tokens",
    "output_tokens",
    "looked_up_tokens",
    "cached_tokens",
    "drafted_tokens",
    "accepted_tokens",
]
NAMES: Mapping[Stated, tuple[str, ...]] = {
    "running": ("vllm:num_requests_running", "sglang:num_running_reqs", "llamacpp:requests_processing"),
    "waiting": ("vllm:num_requests_waiting", "sglang:num_queue_reqs", "llamacpp:requests_deferred"),
    "input_tokens": (
        "vllm:prompt_tokens_total",
        "sglang:prompt_tokens_total",
        "llamacpp:prompt_tokens_total",
    ),
    "output_tokens": (
        "vllm:generation_tokens_total",
        "sglang:generation_tokens_total",
        "llamacpp:tokens_predicted_total",
    ),
    "looked_up_tokens": (
        "vllm:prefix_cache_queries_total",
        "vllm:gpu_prefix_cache_queries_total",
        "sglang:prompt_tokens_total",
        "llamacpp:prompt_tokens_total + llamacpp:prompt_tokens_cached_total",
    ),
    "cached_tokens": (
        "vllm:prefix_cache_hits_total",
        "vllm:gpu_prefix_cache_hits_total",
        "sglang:cached_tokens_total",
        "llamacpp:prompt_tokens_cached_total",
    ),
    "drafted_tokens": (
        "vllm:spec_decode_num_draft_tokens_total",
        "llamacpp:spec_decode_num_draft_tokens_total",
    ),
    "accepted_tokens": (
        "vllm:spec_decode_num_accepted_tokens_total",
        "llamacpp:spec_decode_num_accepted_tokens_total",
    ),
}
"""Of each number, the names that servers and their versions give it; two of which one is a part are added."""
LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)
LOOK_S = 1.0


def parse(text: str) -> dict[Stated, float]:
    """The known numbers of a page of metrics, each summed over its labels: engines of one server."""
    sums: dict[str, float] = {}
    for name, value in LINE.findall(text):
        try:
            sums[name] = sums.get(name, 0.0) + float(value)
        except ValueError:  # a comment's words, or a value that is none
            continue
    found: dict[Stated, float] = {}
    for stated, names in NAMES.items():
        known = [parts for name in names if sums.keys() >= set(parts := name.split(" + "))]
        if known and np.isfinite(total := sum(sums[part] for part in known[0])):
            found[stated] = total
    return found


@dataclass(frozen=True)
class StatedLoad:
    """A window by the server's own numbers; `None` for what it does not state."""

    running: float | None = None
    """Mean of its looks, as `waiting`."""
    waiting: float | None = None
    output_tokens: float | None = None
    """Increase from the first look inside to the last."""
    cache_hit_share: float | None = None
    accepted_draft_share: float | None = None


class MetricsWatch:
    """Looks at a server's metrics, as long as it has any."""

    def __init__(self, client: ServerClient, root: str) -> None:
        self._client, self._url = client, f"{root}/metrics"
        self._seen: list[tuple[int, dict[Stated, float]]] = []

    async def look(self) -> bool:
        """Note the numbers of this moment; whether there were any."""
        response = await self._client.get(self._url)
        if response is None or response.status_code != httpx2.codes.OK:
            return False
        numbers = parse(response.text)
        if numbers:
            self._seen.append((time.monotonic_ns(), numbers))
        return bool(numbers)

    async def keep_looking(self) -> None:
        """Until it is cancelled, or the server has no metrics."""
        while await self.look():
            await asyncio.sleep(LOOK_S)

    def between(self, start_ns: int, end_ns: int) -> StatedLoad:
        """What was stated between two moments."""
        inside = [numbers for at_ns, numbers in self._seen if start_ns <= at_ns <= end_ns]
        return StatedLoad(
            running=_mean(inside, "running"),
            waiting=_mean(inside, "waiting"),
            output_tokens=_increase(inside, "output_tokens"),
            cache_hit_share=_share(inside, "cached_tokens", "looked_up_tokens"),
            accepted_draft_share=_share(inside, "accepted_tokens", "drafted_tokens"),
        )


def _mean(inside: list[dict[Stated, float]], name: Stated) -> float | None:
    values = [numbers[name] for numbers in inside if name in numbers]
    return float(np.mean(values)) if values else None


def _increase(inside: list[dict[Stated, float]], name: Stated) -> float | None:
    values = [numbers[name] for numbers in inside if name in numbers]
    # A counter that fell was begun anew: the server was started again meanwhile.
    return values[-1] - values[0] if len(values) > 1 and values[-1] >= values[0] else None


def _share(inside: list[dict[Stated, float]], part: Stated, whole: Stated) -> float | None:
    of_part, of_whole = _increase(inside, part), _increase(inside, whole)
    return of_part / of_whole if of_part is not None and of_whole else None
