"""Observations of a server's client in one window: requests, tokens, latencies, its own lateness.

    block.observed.served.ttft_s.p99

Inside: what was sent, open or received between the block's edges. A token counts where it was received; a
latency, where its request ended. A value that could not be had is `null`, and its reason is in `absent`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.core.model import Count, OpenModel, SchemaModel

TokensBy = Literal["server usage", "tokenizer", "pieces of the stream"]


class Percentiles(SchemaModel):
    """Median and upper percentiles of seconds, over `n` values."""

    median: float
    p90: float
    p99: float
    n: Count


class ServedWindow(OpenModel):
    """One window of a server's load, by the client's own clock and count."""

    window: str
    """Its name, such as `concurrency 8`."""
    start: Count | None = None
    """Of a server that was started several times for the case: which start this window is of, from 1."""
    finished: Count
    """Requests whose whole answer came, and ended between the edges."""
    failed: dict[str, Count] = Field(default_factory=dict)
    """Requests that failed while the load was held, by reason code."""
    open_at_start: Count
    open_at_end: Count
    running: float
    """Mean number of requests between their first and last token; of pictures and clips, of open ones."""
    running_share: float | None = None
    """`running` over the load of `concurrency` and `saturated`."""
    stated_running: float | None = None
    """Mean number of running requests by the server's own metrics, and of those that wait for their turn."""
    stated_waiting: float | None = None
    stated_running_share: float | None = None
    """`stated_running` over the load of `concurrency` and `saturated`."""
    output_tokens: float | None = None
    """Tokens received between the edges; `null` of pictures and clips."""
    output_tokens_by: TokensBy | None = None
    stated_tokens: Count | None = None
    """Output tokens of the finished requests by the server's usage, `counted_tokens` by our own tokenizer."""
    counted_tokens: Count | None = None
    input_tokens: float | None = None
    """Tokens of prompts, each by the share of its time to the first token between the edges."""
    cached_input_share: float | None = None
    """Share of the finished requests' prompt tokens that were in the prefix cache, as the server states."""
    cache_hit_share: float | None = None
    """Share of the prompt tokens of the window that the prefix cache had, by the server's metrics."""
    accepted_draft_share: float | None = None
    """Of speculative decoding: share of the drafted tokens that were accepted, by the server's metrics."""
    prompts_unique: bool
    ttft_s: Percentiles | None = None
    """Time to first token, from the moment of sending."""
    inter_token_s: Percentiles | None = None
    """From one piece of an answer to the next."""
    end_to_end_s: Percentiles | None = None
    offered_per_s: float | None = None
    """Of `rate`: requests that were due between the edges, per second."""
    late_s: Percentiles | None = None
    """Of `rate`: how much later than due the client sent its requests."""
    client_lag_s: Percentiles | None = None
    """How late the client's own clock of 20 Hz woke: no latency is sharper than that."""
    client_cpu_share: float | None = None
    """Processor time of the client, over the time that it held the load."""
    price_usd: float | None = None
    reason_codes: list[str] = Field(default_factory=list)
    """Short stable names of what is not as it should be: `usage-disagrees`, `prefix-cache-hits`, ..."""
    absent: dict[str, str] = Field(default_factory=dict)
