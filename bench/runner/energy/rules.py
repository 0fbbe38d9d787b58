"""When a window of a program's own work may not be believed: the rules of a block, and three of its own."""

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
        "recorder ended", None, "nobody watched the window to its end", "Make a new Meter.", _recorder_ended
    ),
)


def judged(block: Block) -> Block:
    """The same block, marked invalid with every reason that applies."""
    own = [reason for rule in RULES if (reason := rule.check(block)) is not None]
    found = judge(block)
    return found.model_copy(update={"valid": found.valid and not own, "reasons": own + found.reasons})
