"""Figures of a server's load, from the blocks that count: idle, rates, latencies.

served_figures(record.blocks)        # ServedFigures; None where no server was asked
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.core.block import Block
from bench.core.domain import by_scope
from bench.core.figures import Estimate, LatencyFigures, ServedFigures
from bench.core.scope import MeteredScope
from bench.core.served import Percentiles, ServedWindow
from bench.stats.figures import counting, over_blocks, summed
from bench.stats.restarts import restart_figures

SINGLE = "single"
STATED = ("running", "stated_running", "cache_hit_share", "accepted_draft_share")
"""Numbers of each window whose mean is a figure."""
SHARED = (
    "requests share the cards under this load, so no joules belong to a single one: "
    "the mean over all of them is energy_per_item_j, and --workload single has one at a time"
)


def served_figures(blocks: Sequence[Block]) -> ServedFigures | None:
    """All of them; what the server does not state is absent with the reason."""
    used = counting(blocks)
    scopes = by_scope(sorted({name for block in used for name in block.energy}))
    seen = [block.observed.served for block in used]
    windows = [each for each in seen if each is not None]
    if not used or len(windows) < len(used):
        return None
    figures = ServedFigures()
    if any(window.window != SINGLE for window in windows):
        figures.absent["energy_of_one_request_j"] = SHARED
    unread = next((each.absent.get("input_tokens") for each in windows if each.input_tokens is None), None)
    if unread is not None:
        figures.absent["energy_per_input_token_j"] = unread
    for scope, names in scopes.items():
        _add_idle(figures, scope, names, used)
    _add_rates(figures, used, windows)
    figures.restarts = restart_figures(blocks)
    for name in STATED:
        setattr(figures, name, _mean(used, [getattr(each, name) for each in windows]))
    figures.ttft_s = _latency(used, [each.ttft_s for each in windows])
    figures.inter_token_s = _latency(used, [each.inter_token_s for each in windows])
    figures.end_to_end_s = _latency(used, [each.end_to_end_s for each in windows])
    return figures


def _add_idle(figures: ServedFigures, scope: MeteredScope, names: list[str], used: Sequence[Block]) -> None:
    gross_j, net_j = summed(used, names, "gross_j"), summed(used, names, "net_j")
    if gross_j is None or net_j is None:
        figures.absent[f"idle_share.{scope}"] = "the idle power of its domains is not known"
        return
    idle_j = [gross - net for gross, net in zip(gross_j, net_j, strict=True)]
    figures.idle_power_w[scope] = sum(idle_j) / sum(block.work_s for block in used)
    shares = [idle / gross for idle, gross in zip(idle_j, gross_j, strict=True)]
    figures.idle_share[scope] = over_blocks(used, shares)


def _add_rates(figures: ServedFigures, used: Sequence[Block], windows: Sequence[ServedWindow]) -> None:
    def per_s(count: Callable[[ServedWindow], float]) -> Estimate:
        return over_blocks(used, [count(w) / block.work_s for w, block in zip(windows, used, strict=True)])

    figures.requests_per_s = per_s(lambda window: window.finished)
    if all(window.output_tokens is not None for window in windows):
        figures.output_tokens_per_s = per_s(lambda window: window.output_tokens or 0.0)
    prices = [each.price_usd / each.finished for each in windows if each.price_usd is not None]
    if len(prices) == len(windows):
        figures.price_per_request_usd = over_blocks(used, prices)


def _mean(used: Sequence[Block], seen: Sequence[float | None]) -> Estimate | None:
    known = [each for each in seen if each is not None]
    return over_blocks(used, known) if len(known) == len(seen) else None


def _latency(used: Sequence[Block], seen: Sequence[Percentiles | None]) -> LatencyFigures | None:
    known = [each for each in seen if each is not None]
    if len(known) < len(seen):
        return None
    return LatencyFigures(
        median=over_blocks(used, [each.median for each in known]),
        p90=over_blocks(used, [each.p90 for each in known]),
        p99=over_blocks(used, [each.p99 for each in known]),
    )
