"""The error for an option that a model cannot do: a wrong use, whether it is found before or at loading."""

from __future__ import annotations

from bench.errors import EngineError


def refused(message: str, remedy: str, stage: str = "load") -> EngineError:
    """The error; a run in which nothing else failed ends with the status of wrong use."""
    return EngineError(message, remedy, stage=stage, missing=True)


def too_many(model: str, does: str, most: str, asked: str, remedy: str) -> EngineError:
    """`bark speaks for 15.4 s at most, and 20 s were asked for.`."""
    return refused(f"{model} {does} {most} at most, and {asked} were asked for.", remedy)
