"""Findings as tables of a report, for `findings.md` and for docs/results.md."""

from __future__ import annotations

from collections.abc import Iterator

from bench.core.calibration import Calibration, Counter, PowerField
from bench.view.content import Cell, Report, Section, Table, columns, table
from bench.view.markdown import markdown as rendered
from bench.view.numbers import digits, plain
from scripts.evidence.answers import Attention, Beside, Sensor
from scripts.evidence.findings import Findings, Repeat

REHEARSED = "This is a rehearsal on a stand-in card: not one figure in it is a measurement."


def markdown(findings: Findings) -> str:
    """The findings by themselves."""
    return rendered(
        Report(f"Findings on {findings.machine or findings.card_name}", (), (section(findings),), ())
    )


def section(findings: Findings) -> Section:
    """Every table of one machine; a part that was not done is named with its reason."""
    first = (REHEARSED,) if findings.rehearsed else ()
    notes = tuple(f"{name}: {why}" for name, why in findings.absent.items())
    title = f"The sensor, the repeats and the cross-checks: {findings.card_name} ({findings.card})"
    return Section(title, (*first, *_tables(findings)), notes, "findings")


def _tables(findings: Findings) -> Iterator[Table]:
    for card in findings.calibrations:
        yield _readings(card)
    if facts := tuple(_facts(findings)):
        yield table(columns("what", "finding"), facts, "Other findings", "facts")
    if findings.repeats:
        yield _repeats(findings)
    if findings.itself:
        heads = columns("case", "#B over A", "#low", "#high", "verdict")
        rows = tuple(
            (pair.case, pair.ratio.value, pair.ratio.low, pair.ratio.high, _verdict(pair.false_verdict))
            for pair in findings.itself
        )
        yield table(heads, rows, "A case against itself, in turns", "itself")
    if findings.checks:
        yield _checks(findings)


def _checks(findings: Findings) -> Table:
    heads = columns("case", "published", "per", "#J here", "#J there", "#ratio", "0.5 to 2", "what differs")
    rows = tuple(
        (
            check.case,
            check.row,
            check.per,
            check.measured_j,
            check.published_j,
            check.ratio,
            _yes(check.within),
            check.why,
        )
        for check in findings.checks
    )
    return table(heads, rows, "Against published figures of an H100", "checks")


def _readings(card: Calibration) -> Table:
    named: tuple[tuple[str, Counter | PowerField | None], ...] = (
        ("energy counter", card.counter),
        ("instant power (186)", card.power_instant),
        ("average power (185)", card.power_average),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, part in named:
        if part is None:
            rows.append((name, None, None, None, None, card.absent.get(name, "not read")))
            continue
        every_s = part.tick_s if isinstance(part, Counter) else part.update_s
        window_s = part.window_s if isinstance(part, PowerField) else None
        rows.append((name, every_s, window_s, part.delay_s, part.share_seen, part.reason))
    heads = columns(
        "reading",
        "#new every, s",
        "#window, s",
        "#delay, s",
        "#share of time seen",
        "why a cell is empty",
    )
    return table(heads, rows, f"{card.name}, driver {card.driver}", f"card-{card.uuid}")


def _facts(findings: Findings) -> Iterator[tuple[Cell, ...]]:
    for card in findings.calibrations:
        yield "one look at energy and power, ms", digits(card.call_s * 1e3)
        if card.decay is not None:
            yield "idle power, W", digits(card.decay.idle_w)
            yield "above idle right after a load, W", digits(card.decay.above_idle_w)
            yield "which fades with, s", plain(card.decay.time_constant_s)
    if findings.attention is not None:
        yield from _of_attention(findings.attention)
    if findings.sensor is not None:
        yield from _of_sensor(findings.sensor)
    if findings.cost is not None:
        cost = findings.cost
        ratio = f"{cost.ratio:.4f} ({cost.low:.4f} to {cost.high:.4f}, 95 %)"
        yield "time of the work with the meters on over off", ratio
        yield "the recorder's share of a core", f"{cost.recorder_share:.2%}"
    if findings.beside is not None:
        yield from _of_peers(findings.beside)


def _of_attention(attention: Attention) -> Iterator[tuple[Cell, ...]]:
    for name, order in attention.orders.items():
        times = order.decode_ms
        yield (
            f"a decoding step of attention, {name}",
            f"not measured: {order.reason}"
            if times is None
            else f"{times.new_length:.3g} ms at a new length, {times.known_length:.3g} at a known",
        )
        for mask, result in order.masks.items():
            error = result.relative_error
            cell = f"fails: {result.reason}" if error is None else f"relative error {error:.1e}"
            yield f"attention with the mask {mask}, {name}", cell


def _of_sensor(sensor: Sensor) -> Iterator[tuple[Cell, ...]]:
    for level in sensor.steady:
        if level.apart is not None:
            yield f"counter against integrated instant power, {level.level}", f"{level.apart:+.2%}"
    phases = sensor.phases
    yield "loads of the sensor's period at eight phases", phases.verdict
    if phases.range is not None:
        shares = ", ".join("—" if share is None else f"{share:.2f}" for share in phases.seen_over_drawn)
        yield "their readings over what was drawn", shares
    for name, by_scope in sensor.scopes.items():
        if isinstance(by_scope, dict):
            yield f"{name} by scope", "; ".join(f"{scope}: {_either(v)}" for scope, v in by_scope.items())


def _of_peers(beside: Beside) -> Iterator[tuple[Cell, ...]]:
    for name in sorted({peer for window in beside.windows for peer in window.apart}):
        apart = [window.apart[name] for window in beside.windows if name in window.apart]
        seconds = min(window.seconds for window in beside.windows)
        yield (
            f"{name} against joulebench, {len(apart)} windows of {seconds:g} s and more",
            f"{min(apart):+.2%} to {max(apart):+.2%}",
        )
    for name, reason in beside.absent.items():
        yield f"{name} against joulebench", f"not measured: {reason}"


def _repeats(findings: Findings) -> Table:
    heads = columns(
        "case", "per", "#J, round 1", "#J, round 2", "#apart, %", "#widest 95 %, ±%", "#spread of blocks, %",
        "lag-1", "#CodeCarbon apart, %",
    )  # fmt: skip
    rows = tuple(_repeat_row(repeat) for repeat in findings.repeats)
    return table(heads, rows, "Every case, in rounds from different starts", "repeats")


def _repeat_row(repeat: Repeat) -> tuple[Cell, ...]:
    first, second = (*repeat.joules, None)[:2]
    widths = [width for width in repeat.half_widths if width is not None]
    lags = ", ".join("—" if lag is None else f"{lag:+.2f}" for lag in repeat.lag1)
    percents = (repeat.apart, max(widths, default=None), repeat.cv)
    shown = (None if value is None else 100 * value for value in percents)
    codecarbon = None if repeat.codecarbon_apart is None else 100 * repeat.codecarbon_apart
    return (repeat.case, repeat.unit, first, second, *shown, lags, codecarbon)


def _verdict(missed: bool) -> str:
    return "false: the interval misses 1" if missed else "right: the interval has 1 in it"


def _yes(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "NO"


def _either(value: float | str | None) -> str:
    return value if isinstance(value, str) else plain(value)
