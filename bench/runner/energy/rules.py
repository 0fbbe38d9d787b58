"""When a window of a program's own work may not be believed: the rules of a block, and four of its own."""

from __future__ import annotations

from bench.records.schema import Block
from bench.runner.validity import Rule, judge


def _failed(block: Block, _limit: float) -> str | None:
    failure = block.observed.get("failure")
    return f"the work ended with {failure}" if failure else None


def _elsewhere(block: Block, _limit: float) -> str | None:
    cards = block.observed.get("unmetered_gpus")
    return f"the work also runs on {', '.join(cards)}" if cards else None


def _recorder_ended(block: Block, _limit: float) -> str | None:
    return "the recorder process had ended" if block.observed.get("recorder_ended") else None


def _short_estimate(block: Block, limit: float) -> str | None:
    """CodeCarbon begins before a window and ends after it, which a short one without a card feels."""
    estimated = any(energy.kind == "estimated" for energy in block.energy.values())
    if any(name.startswith("gpu:") for name in block.energy) or not estimated or block.codecarbon is None:
        return None
    beyond = block.codecarbon.duration_s / block.duration_s - 1
    if beyond <= limit:
        return None
    return f"the estimate covers {beyond:.0%} more time than the window (limit {limit:.0%})"


RULES = (
    Rule("work failed", None, "its joules are those of a part of it", "Mend it.", _failed),
    Rule(
        "other card",
        None,
        "those joules are not in the figure",
        "Name every card with gpus=, by NVML index or UUID.",
        _elsewhere,
    ),
    Rule(
        "short estimate",
        0.05,
        "the window is too short to be estimated",
        "Put more work into it.",
        _short_estimate,
    ),
    Rule(
        "recorder ended", None, "nobody watched the window to its end", "Make a new Meter.", _recorder_ended
    ),
)


def judged(block: Block) -> Block:
    """The same block, marked invalid with every reason that applies."""
    own = [reason for rule in RULES if (reason := rule.check(block)) is not None]
    found = judge(block)
    return found.model_copy(update={"valid": found.valid and not own, "reasons": own + found.reasons})
