"""What this project wants to reach, held against what was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.accuracy.cards import SHARES, TICKS_S, Card
from scripts.accuracy.cells import Results, advantage, best_peer_rms
from scripts.accuracy.meters import OURS

HEADLINE = Card("page", 0.1, 1.0)
LIKE_A_PEER, LIKE_NOTHING = 1.05, 2e-4
"""What makes no difference between two RMS errors: a twentieth, and 0.02 points, which are the milliseconds
of idle between the work and whichever contestant was opened first."""
ENOUGH = 40
"""With fewer windows, what a sensor with gaps happened to see decides who is better."""


@dataclass(frozen=True)
class Target:
    """Target, result, and whether the target is met; `None` if that is undecided."""

    wanted: str
    found: str
    met: bool | None


def targets(results: Results) -> Iterator[Target]:
    """All of them, met or not. A number that is not there meets none."""
    for seconds, part in ((1.0, 8), (5.0, 5)):
        ratio = advantage(results.of(HEADLINE, seconds))
        wanted = f"page-like, 100 ms, 100 %, {seconds:g} s: RMS at most 1/{part} of the best peer's"
        yield Target(wanted, f"1/{ratio:.1f}", ratio >= part)
    rms = results.of(HEADLINE, 1.0)[OURS].rms
    yield Target("page-like, 100 ms, 100 %, 1 s: RMS below 0.5 %", f"{rms:.2%}", rms < 0.005)
    yield from (_never_worse(results, share) for share in SHARES)
    if in_step := results.in_step:
        ours = in_step[OURS]
        yield Target(
            f"25 % sensor, work in step with it, {ours.seconds:.0f} s: RMS below 2 %",
            f"{ours.rms:.2%}; best peer {best_peer_rms(in_step):.1%}",
            ours.rms < 0.02,
        )
    absent = sum(cell.absent for cell in results.cells if cell.meter == OURS)
    yield Target("a figure for every window", f"{absent} without", absent == 0)


def _never_worse(results: Results, share: float) -> Target:
    """At the longest window, for each tick, all waveforms together."""
    longest_s = results.lengths_s[-1]
    worse, fewest = [], math.inf
    for tick_s in TICKS_S:
        cells = results.pooled(share, tick_s, longest_s)
        ours, peer_rms = cells[OURS], best_peer_rms(cells)
        fewest = min(fewest, ours.n)
        if not ours.rms <= peer_rms * LIKE_A_PEER + LIKE_NOTHING:
            worse.append(f"tick {tick_s * 1e3:g} ms: {ours.rms:.2%}, peer {peer_rms:.2%}")
    found = "; ".join(worse) or "at no tick"
    wanted = f"{share:.0%} sensor, {longest_s:g} s: never worse than the best peer"
    if share < 1 and 0 < fewest < ENOUGH:
        return Target(wanted, f"{found}; {fewest} windows are too few to tell", None)
    return Target(wanted, found, not worse)


def target_lines(found: Sequence[Target]) -> Iterator[str]:
    """One target a line: met, missed, or open."""
    for target in found:
        state = "open" if target.met is None else "met" if target.met else "MISSED"
        yield f"{state:6}  {target.wanted}: {target.found}"
