"""A calibration as tables: what `calibrate` prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from bench.cli.tables import cell
from bench.core.calibration import WANTED_TICKS, Calibration, Counter, PowerField
from bench.report.numbers import NOT_KNOWN, digits, plain


def sections(found: Calibration, then: str) -> Iterable[Any]:
    """All that was found of one card: its readings, facts, and the reference load where one was run.

    `then` is the command for what a meter of the user's counted of that load.
    """
    yield cell(f"{found.name} {found.uuid}, {found.created}, driver {found.driver or NOT_KNOWN}")
    yield Text("")
    yield _readings(found)
    yield Text("")
    yield _facts(found)
    if found.stretches:
        yield Text("")
        yield _stretches(found)
        if found.line is None:
            yield cell(f"Then: {then}")


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _readings(found: Calibration) -> Table:
    """Counter and power readings, a row each."""
    table = _table("reading", "new every, s", "window, s", "delay, s", "sees", "unexplained")
    named: tuple[tuple[str, Counter | PowerField | None], ...] = (
        ("energy counter", found.counter),
        ("instant power", found.power_instant),
        ("average power", found.power_average),
    )
    for name, part in named:
        if part is None:
            table.add_row(cell(name), *[cell(NOT_KNOWN)] * 5)
            continue
        every_s = part.tick_s if isinstance(part, Counter) else part.update_s
        window_s = part.window_s if isinstance(part, PowerField) else None
        values = (name, digits(every_s), plain(window_s), plain(part.delay_s), _between(part))
        table.add_row(*map(cell, values), cell(_share(part.unexplained)))
    return table


def _share(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{digits(value * 100, 2)} %"


def _between(part: Counter | PowerField) -> str:
    """The share seen, and for the counter what it may be as well."""
    if not isinstance(part, Counter) or part.share_between is None:
        return _share(part.share_seen)
    low, high = (digits(share * 100, 2) for share in part.share_between)
    return f"{_share(part.share_seen)} ({low} to {high})"


def _facts(found: Calibration) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = [
        (
            "looks",
            f"{found.looks}, every {digits(found.look_s * 1e3)} ms, {digits(found.call_s * 1e3)} ms a call",
        )
    ]
    if found.decay is not None:
        rows.append(("after a load", _settling(found)))
    if (block_s := found.block_seconds_at_least()) is not None:
        rows.append(("blocks", f"at least {digits(block_s)} s, which hold {WANTED_TICKS} ticks"))
    if found.line is not None:
        rows.append(("gain", _line(found)))
    parts = (found.counter, found.power_instant, found.power_average)
    reasons = [(name.replace("_", " "), reason) for name, reason in found.absent.items()]
    reasons += [("not told", part.reason) for part in parts if part is not None and part.reason]
    for name, value in [*rows, *reasons]:
        table.add_row(cell(name), cell(value))
    return table


def _settling(found: Calibration) -> str:
    assert found.decay is not None
    seen = found.decay
    idle = f"idle {digits(seen.idle_w)} W"
    if seen.time_constant_s is None:
        return f"{seen.reason}, {idle}"
    fading = f"fading with {digits(seen.time_constant_s, 2)} s"
    return f"{digits(seen.above_idle_w)} W above idle, {fading}, {idle}"


def _line(found: Calibration) -> str:
    assert found.line is not None
    line = found.line
    offset = f"offset {line.offset_w:+.1f} W" if line.offset_w is not None else f"no offset ({line.reason})"
    return f"the card reads {line.gain:.4f} times what it draws (u {line.relative_gain_u:.2%}), {offset}"


def _stretches(found: Calibration) -> Table:
    table = _table("stretch", "s", "J read", "W read", "J reference")
    line = found.line
    known = line.reference_j if line is not None and len(line.reference_j) == len(found.stretches) else []
    for number, stretch in enumerate(found.stretches):
        reference = digits(known[number], 5) if known else NOT_KNOWN
        watts = digits(stretch.read_j / stretch.seconds, 4)
        values = (stretch.level, digits(stretch.seconds, 4), digits(stretch.read_j, 5), watts, reference)
        table.add_row(*map(cell, values))
    return table
