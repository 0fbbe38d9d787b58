"""Section of `roofline peaks`: bytes and operations a second that devices reach."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.peaks import DevicePeaks
from bench.view.content import Section, columns, table
from bench.view.numbers import NOT_KNOWN


def section(found: Sequence[DevicePeaks]) -> Section:
    """A row a device, and the rates that it lacks, each with the reason."""
    rates = ("bfloat16", "float16", "float32")
    heads = columns("device", "#copy GB/s", "#read GB/s", *(f"#{rate} TFLOP/s" for rate in rates))
    rows = (
        (
            f"{each.name} {each.device}",
            each.copy_gb_per_s,
            each.read_gb_per_s,
            *map(each.matrix_tflops.get, rates),
        )
        for each in found
    )
    notes = (
        f"{each.name}: {dtype} {NOT_KNOWN}: {why}" for each in found for dtype, why in each.absent.items()
    )
    legend = "Best of several rounds, random numbers; 1 GB is 10⁹ bytes, 1 TFLOP 10¹² operations."
    return Section("", (table(heads, rows), *notes, legend))
