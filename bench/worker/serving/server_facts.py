"""Facts that a server states of itself: version, flags, precision, caches, speculation; only keys named here.

A server's list of its own settings may hold its key, so nothing is taken over that is not listed.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from bench.worker.serving.client import ServerClient

SGLANG = "version dtype kv_cache_dtype quantization attention_backend tp_size max_running_requests"
SGLANG_MORE = "disable_radix_cache speculative_algorithm speculative_num_steps context_length"
PLACES = {
    "/version": ("version",),
    "/get_server_info": tuple(f"{SGLANG} {SGLANG_MORE}".split()),
    "/props": ("build_info", "model_path", "total_slots", "model_ftype"),
}
"""Paths of vLLM, SGLang and llama.cpp's server, and what is kept of their answers."""
METRIC = re.compile(r"^vllm:cache_config_info\{([^}]*)\}", re.MULTILINE)
METRIC_LABELS = (
    "cache_dtype",
    "enable_prefix_caching",
    "block_size",
    "num_gpu_blocks",
    "gpu_memory_utilization",
)


async def server_facts(client: ServerClient, root: str) -> dict[str, Any]:
    """Facts by name; the server's software first where it names it."""
    facts: dict[str, Any] = {}
    answers = await asyncio.gather(
        *(client.get(root + path) for path in PLACES), client.get(root + "/metrics")
    )
    for keys, response in zip(PLACES.values(), answers[:-1], strict=True):
        told = _mapping(response)
        facts |= {f"server.{key}": told[key] for key in keys if told.get(key) not in (None, "")}
        if response is not None and (software := response.headers.get("server")):
            facts["server.software"] = software
    facts |= _cache_facts(answers[-1])
    return facts


def _mapping(response: Any) -> dict[str, Any]:
    if response is None or response.status_code != 200:
        return {}
    try:
        told = response.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _cache_facts(response: Any) -> dict[str, Any]:
    """vLLM's settings of its cache, from its metrics."""
    if response is None or response.status_code != 200:
        return {}
    found = METRIC.search(response.text)
    labels = dict(re.findall(r'(\w+)="([^"]*)"', found[1])) if found else {}
    return {f"server.{key}": labels[key] for key in METRIC_LABELS if key in labels}
