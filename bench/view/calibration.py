"""A calibration as tables: what `calibrate` prints."""

from __future__ import annotations

from collections.abc import Iterator

from bench.core.calibration import WANTED_TICKS, Calibration, Counter, PowerField
from bench.view.content import Cell, Section, Table, columns, pairs, table
from bench.view.numbers import NOT_KNOWN, digits


def sections(found: Calibration, then: str) -> Iterator[Section | str]:
    """All that was found of one card: its readings, facts, and the reference load where one was run.

    `then` is the command for what a meter of the user's counted of that load.
    """
    yield f"{found.name} {found.uuid}, {found.created}, driver {found.driver or NOT_KNOWN}"
    yield Section("", (readings(found),))
    yield Section("", (pairs(_facts(found)),))
    if found.stretches:
        yield Section("", (_stretches(found), *([f"Then: {then}"] if found.line is None else [])))


def readings(found: Calibration) -> Table:
    """Counter and power readings, a row each."""
    heads = columns("reading", "#new every, s", "#window, s", "#delay, s", "#sees", "#unexplained")
    named: tuple[tuple[str, Counter | PowerField | None], ...] = (
        ("energy counter", found.counter),
        ("instant power", found.power_instant),
        ("average power", found.power_average),
    )
    return table(heads, ((name, *(_reading(part) if part else [None] * 5)) for name, part in named))


def _reading(part: Counter | PowerField) -> tuple[Cell, ...]:
    every_s = part.tick_s if isinstance(part, Counter) else part.update_s
    window_s = None if isinstance(part, Counter) else part.window_s
    return every_s, window_s, part.delay_s, _between(part), _share(part.unexplained)


def _share(value: float | None) -> str:
    return NOT_KNOWN if value is None else f"{digits(value * 100, 2)} %"


def _between(part: Counter | PowerField) -> str:
    """The share seen, and for the counter what it may be as well."""
    if not isinstance(part, Counter) or part.share_between is None:
        return _share(part.share_seen)
    low, high = (digits(share * 100, 2) for share in part.share_between)
    return f"{_share(part.share_seen)} ({low} to {high})"


def _facts(found: Calibration) -> list[tuple[str, str]]:
    rows = [
        (
            "looks",
            f"{found.looks}, every {digits(found.look_s * 1e3)} ms, {digits(found.call_s * 1e3)} ms a call",
        )
    ]
    if found.decay is not None:
        rows.append(("after a load", _settling(found)))
    if (block_s := found.block_seconds_at_least()) is not None:
        rows.append(("blocks", f"at least {digits(block_s)} s, for {WANTED_TICKS} ticks"))
    if found.line is not None:
        rows.append(("gain", _line(found)))
    parts = (found.counter, found.power_instant, found.power_average)
    reasons = [(name.replace("_", " "), reason) for name, reason in found.absent.items()]
    reasons += [("undecided", part.reason) for part in parts if part is not None and part.reason]
    return [*rows, *reasons]


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
    line = found.line
    known = line.reference_j if line is not None and len(line.reference_j) == len(found.stretches) else []
    rows = (
        (each.level, each.seconds, each.read_j, each.read_j / each.seconds, known[number] if known else None)
        for number, each in enumerate(found.stretches)
    )
    return table(columns("stretch", "##s", "###J read", "##W read", "###J reference"), rows)
