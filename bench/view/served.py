"""Figures that a server's load adds to a record: joules per token read, idle, rates and latencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench.core.block import Block
from bench.core.figures import Figures, ScopedFigure, ServedFigures
from bench.core.machine import Machine, ServingNode
from bench.view.content import Cell, Section, Table, columns, table
from bench.view.numbers import NOT_KNOWN, percent, with_interval
from bench.view.spans import by_width

LATENCIES = {
    "ttft_s": "time to first token",
    "inter_token_s": "between pieces",
    "end_to_end_s": "end to end",
}
CODES = {
    "usage-disagrees": "the server's usage is neither our tokenizer's count nor that of its pieces",
    "recount-differs": "our tokenizer's count is another than the server's usage, which counts: the answers "
    "do not split again into their tokens, as text of random weights",
    "no-usage": "the server states no usage; tokens are counted here",
    "prefix-cache-hits": "the server had more of the prompts in its prefix cache than their template",
    "node-lost": "an agent gave no answer, so its node's joules and all sums with them are absent",
    "node-failed": "an agent refused or had a fault, so its node's joules and all sums with them are absent",
    "node-unmetered": "a node has no meter for what another one meters, so the sum is absent",
    "requests-failed": "their joules are in the window and their tokens are not",
}
"""Meaning of the reason codes of a window."""
MEANS = (
    "Values are means over the windows that count, of several starts over the starts; a percentile is that "
    "of each window, and then their mean. Idle W: joules of all windows over their seconds."
)


def section(found: ServedFigures, blocks: Sequence[Block]) -> Section:
    """Two tables, how they are averaged, why something is missing, and the windows' reason codes."""
    energy = table(columns("figure", "#value", "#95 %", "#net"), _rows(found))
    latencies = table(columns("latency, ms", "#median", "#95 %", "#90th", "#99th"), _latencies(found))
    reasons = [f"{name}: {reason}." for name, reason in found.absent.items()]
    return Section("Server's load", (energy, "", latencies, MEANS, *reasons, *_codes(blocks)))


def _codes(blocks: Sequence[Block]) -> Iterator[str]:
    """Each reason code once, with the number of windows that have it and its meaning."""
    windows = [block.observed.served for block in blocks if block.observed.served and not block.warmup]
    for code, number in Counter(code for window in windows for code in window.reason_codes).items():
        meaning = f": {CODES[code]}" if code in CODES else ""
        yield f"{code} in {number} of {len(windows)} windows{meaning}."


def nodes(figures: Figures, machine: Machine, unit: str) -> Section | None:
    """Joules of each role and node of a server over several, and the proof of each node's clock."""
    if not machine.nodes or (joules := node_joules(figures, unit)) is None:
        return None
    clocks = [(name, node.role, *_clock(node)) for name, node in machine.nodes.items()]
    heads = columns("node", "role", "#clock, ± ms", "#round trip, ms", "#drift, ppm", "NTP")
    return Section("Nodes", (joules, "", table(heads, clocks)))


def node_joules(figures: Figures, unit: str) -> Table | None:
    """Joules per unit of each role and node, and their share of the sum; `None` without nodes."""
    if figures.served is None or not figures.served.per_node_j:
        return None
    rows = [
        (
            f"{what}, {scope}",
            with_interval(each.gross),
            percent(each.gross),
            with_interval(each.net),
            _share(each, figures.energy_per_unit_j.get(scope)),
        )
        for what, scopes in _of_nodes(figures.served)
        for scope, each in scopes.items()
    ]
    return table(columns(f"J per {unit}", "#gross", "#95 %", "#net", "#% of the sum"), rows)


def _share(part: ScopedFigure, whole: ScopedFigure | None) -> float | None:
    """Percent; `None` where one of them has no joules."""
    if part.gross is None or whole is None or whole.gross is None or whole.gross.value <= 0:
        return None
    return 100 * part.gross.value / whole.gross.value


def _of_nodes(found: ServedFigures) -> Iterator[tuple[str, Mapping[str, ScopedFigure]]]:
    yield from ((f"role {role}", scopes) for role, scopes in found.per_role_j.items())
    yield from ((f"node {node}", scopes) for node, scopes in found.per_node_j.items())


def _clock(node: ServingNode) -> tuple[Cell, ...]:
    off = node.clock
    if off is None:
        return None, None, None, _sync(node)
    return 1e3 * off.uncertainty_s, 1e3 * off.round_trip_s, off.drift_ppm, _sync(node)


def _sync(node: ServingNode) -> str:
    if node.sync is None or node.sync.synchronised is None:
        return NOT_KNOWN
    return "synchronised" if node.sync.synchronised else "not synchronised"


def _rows(found: ServedFigures) -> Iterator[tuple[Cell, ...]]:
    for scope, watts in found.idle_power_w.items():
        yield f"W of the loaded server at idle, {scope}", watts, None, None
    for scope, share in found.idle_share.items():
        yield f"idle share of the joules, {scope}", with_interval(share), percent(share), None
    for name, rate in (
        ("requests per s", found.requests_per_s),
        ("output tokens per s", found.output_tokens_per_s),
        ("US dollars per request", found.price_per_request_usd),
        ("requests running, by their tokens", found.running),
        ("requests running, by the server", found.stated_running),
        ("share of prompts in the prefix cache", found.cache_hit_share),
        ("share of drafted tokens accepted", found.accepted_draft_share),
    ):
        if rate is not None:
            yield name, with_interval(rate), percent(rate), None
    if (over := found.restarts) is not None:
        name = f"J per unit over {over.starts} starts of the server"
        yield name, with_interval(over.energy_per_unit_j), percent(over.energy_per_unit_j), None
        yield "scatter from start to start", f"{over.between_share:.2%}", None, None
        if over.within_share is not None:
            yield "scatter of blocks of one start", f"{over.within_share:.2%}", None, None


def _latencies(found: ServedFigures) -> Iterator[tuple[Cell, ...]]:
    for key, name in LATENCIES.items():
        if (seen := getattr(found, key)) is not None:
            ms = [each.in_units_of(1e-3) for each in (seen.median, seen.p90, seen.p99)]
            yield name, with_interval(ms[0]), percent(ms[0]), by_width(ms[1]), by_width(ms[2])
