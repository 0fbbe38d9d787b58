"""Ways of compiling that a device or the other options rule out."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.modality import TorchOptions
from bench.engines.limits.refused import refused


def has_graphs(mode: str | None) -> bool:
    """Whether this way of compiling replays CUDA graphs."""
    return mode in ("reduce-overhead", "max-autotune")


def check_mode(options: TorchOptions, devices: Sequence[str]) -> None:
    """Raise EngineError for a `compile_mode` that would change nothing."""
    if options.compile_mode is None:
        return
    if not options.compile:
        raise refused(
            f"compile_mode {options.compile_mode} without compile changes nothing.",
            "Set compile: true, or leave out compile_mode.",
        )
    if has_graphs(options.compile_mode) and not devices[0].startswith("cuda"):
        raise refused(
            f"compile_mode {options.compile_mode} makes CUDA graphs, and the work runs on {devices[0]}.",
            "Use compile_mode default here.",
        )


def check_graphs_of_text(mode: str | None, *, static_cache: bool) -> None:
    """Raise EngineError for CUDA graphs over a cache that grows."""
    if has_graphs(mode) and not static_cache:
        raise refused(
            "CUDA graphs need a cache that stays in its place, and this one grows with each token.",
            "Set static_cache: true beside compile_mode.",
        )


def check_blocks(options: TorchOptions, *, compile_blocks: bool) -> None:
    """Raise EngineError for blocks that are not compiled, or that would be graphs of their own."""
    if compile_blocks and (not options.compile or has_graphs(options.compile_mode)):
        raise refused(
            "compile_blocks selects what to compile, and blocks cannot be CUDA graphs of their own.",
            "Set compile: true beside it, and no compile_mode that makes graphs.",
        )
