"""Joules per token read, per token read or written, and tokens per joule, from a measurement's blocks.

    found = token_figures.of(record)
    found.per_input_token_j["gpu"].gross     # Estimate, over valid blocks after warm-up

Inside: all joules of a block, over all its tokens of a kind. J per output token is in `figures`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bench.core.block import Block
from bench.core.domain import by_scope
from bench.core.energy import energy_sum
from bench.core.figures import Estimate, ScopedFigure, TokenFigures
from bench.core.measurement import Measurement
from bench.stats.figures import counting, over_blocks, scoped_figure, summed

Tokens = Callable[[Block], float]


def of(measurement: Measurement) -> TokenFigures | None:
    """Token figures as stored, or, of an older file, derived from its blocks; `None` without any tokens.

    Of a chain of models they are those of the part that writes, also where its file has others.
    """
    if not measurement.per_token:
        return of_chain(counting(measurement.blocks))
    return measurement.figures.tokens or derive(counting(measurement.blocks))


def per_output_token(measurement: Measurement) -> Mapping[str, ScopedFigure]:
    """Joules per token written, by scope; none of a chain, of which a part alone writes."""
    return measurement.figures.energy_per_token_j if measurement.per_token else {}


def of_chain(used: Sequence[Block]) -> TokenFigures | None:
    """Joules of the part that writes text, per token written; `None` where they are not known."""
    of_part = _of_phase(used, WRITING_PART, _output)
    return TokenFigures(per_token_of_phase_j={WRITING_PART: of_part}) if of_part else None


def derive(used: Sequence[Block]) -> TokenFigures | None:
    """Token figures of the blocks that count; `None` where one of them has neither kind of token."""
    has_input, has_output = (bool(used) and all(map(tokens, used)) for tokens in (_input, _output))
    if not (has_input or has_output):
        return None
    scopes = by_scope(sorted({name for block in used for name in block.energy}))
    found = TokenFigures()
    for scope, names in scopes.items():
        if has_input:
            found.per_input_token_j[scope] = scoped_figure(used, names, _input)
        if has_input and has_output:
            found.per_total_token_j[scope] = scoped_figure(
                used, names, lambda block: _input(block) + _output(block)
            )
        if has_output:
            found.output_tokens_per_j[scope] = _per_joule(used, names)
    for phase, tokens in _PHASES.items():
        if (each := _of_phase(used, phase, tokens)) is not None:
            found.per_token_of_phase_j[phase] = each
    if has_output and all(block.observed.reasoning_tokens is not None for block in used):
        shares = [(block.observed.reasoning_tokens or 0) / _output(block) for block in used]
        found.reasoning_token_share = over_blocks(used, shares)
    return found


def _input(block: Block) -> float:
    """Tokens read; of a server's load, where a prompt counts by its share inside the window."""
    served = block.observed.served
    return (served.input_tokens if served else block.observed.prompt_tokens) or 0


def _output(block: Block) -> float:
    return (block.observed.served.output_tokens if block.observed.served else block.tokens) or 0


_PHASES: Mapping[str, Tokens] = {"prefill": _input, "encoder": _input, "decode": _output}
"""What a phase reads or writes."""
WRITING_PART = "text"
"""Phase of a chain in which its tokens are written."""


def _per_joule(used: Sequence[Block], names: list[str]) -> ScopedFigure:
    """Tokens written per joule; `None` where joules are not known, or not above zero."""

    def over(joules: list[float] | None) -> Estimate | None:
        if joules is None or min(joules) <= 0:
            return None
        return over_blocks(used, [_output(block) / total for block, total in zip(used, joules, strict=True)])

    per_token = scoped_figure(used, names, lambda block: float(_output(block)))
    gross, net = (over(summed(used, names, which)) for which in ("gross_j", "net_j"))
    return per_token.model_copy(update={"gross": gross, "net": net})


def _of_phase(used: Sequence[Block], name: str, tokens: Tokens) -> Estimate | None:
    """Joules of a phase per token; `None` where a block lacks the phase, its joules or tokens."""
    values = []
    for block in used:
        energy = block.phases[name].energy if name in block.phases else {}
        joules = energy_sum(energy, energy).gross_j
        if joules is None or not tokens(block):
            return None
        values.append(joules / tokens(block))
    return over_blocks(used, values) if values else None
