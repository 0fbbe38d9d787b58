"""Sections of `footprint projection`: joules of one token or image as those of a deployment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.footprint.caveats import PROJECTIONS_LEAVE_OUT
from bench.footprint.projection import Projection, factors_of
from bench.view.content import Section
from bench.view.sourced import amount, chains_table, factors_table, keys_of, left_out, references


def sections(found: Sequence[Projection]) -> Iterator[Section]:
    """A deployment a case, step by step, and the assumptions of all."""
    for deployment in found:
        rate = deployment.rate
        weights = f", {rate.weights} weights" if rate.weights else ""
        yield Section(
            f"A deployment that makes {rate.made}s as this does: {rate.name} ({rate.kind}{weights})",
            (
                f"{amount(rate.joules)} per {rate.made}, scope {rate.scope}; range: {rate.range_is}",
                chains_table({"deployment": deployment.whole()}),
            ),
            ()
            if "cards" in deployment.chains
            else ("cards: not counted; --card-power WATTS at scope gpu gives their number.",),
        )
    yield Section("Assumptions", (factors_table(factors_of(found)),))
    yield references(
        {rate.source for rate, _ in found} | keys_of(chain for _, made in found for chain in made.values())
    )
    yield left_out(PROJECTIONS_LEAVE_OUT)
