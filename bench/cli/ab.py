"""`python -m bench ab -- 'COMMAND A' 'COMMAND B'`: two programs in turns, and the ratio of their joules.

Exit status as of `compare`: 0 B is not worse, 1 it is, 2 wrong use or a command that failed, 3 unclear.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import options, written_form
from bench.errors import RecordError, UsageError

if TYPE_CHECKING:
    from bench.compare.gate import Limit
    from bench.core.energy_result import ComparedCommands
    from bench.core.figures import Estimate
    from bench.measurement.paired import PairSide


EXAMPLE = "ab -- 'sleep 1' 'sleep 2'"


@click.command("ab", context_settings={"allow_interspersed_args": False})
@click.argument("commands", nargs=-1, type=click.UNPROCESSED, metavar="-- 'COMMAND A' 'COMMAND B'")
@click.option(
    "--runs",
    type=click.IntRange(5, 1000),
    metavar="N",
    help="Runs of each command. [default: 6 or more, until --target or --max-seconds]",
)
@click.option(
    "--warmup",
    type=click.IntRange(0, 100),
    default=1,
    show_default=True,
    metavar="N",
    help="Runs of each command before, unmetered.",
)
@options.gpus_option
@click.option(
    "--target",
    callback=options.parse_fraction,
    default="2%",
    show_default=True,
    metavar="FRACTION",
    help="Half width of the ratio's 95 % interval to reach.",
)
@click.option(
    "--max-seconds",
    type=options.Finite(min=0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Stop after this long (never before 6 runs of each).",
)
@click.option("--fail-on", "limits", multiple=True, metavar="LIMIT", help="energy:5%, time:3%. Repeatable.")
@click.option(
    "--order-seed",
    "seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of the order of the runs.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write both results there, - for stdout: FILE@A and FILE@B for compare, show, validate.",
)
@written_form.options(to_file=False)
@options.results_option
@options.debug_option
def command(
    commands: tuple[str, ...],
    runs: int | None,
    warmup: int,
    gpus: str | None,
    target: float,
    max_seconds: float,
    limits: tuple[str, ...],
    seed: int,
    output: Path | None,
    results: Path,
) -> int:
    """Measure two commands in turns (ABBA), and judge the joules a run of B against A.

    Each COMMAND is one argument, split into words as by a POSIX shell and run without one; for pipes and
    variables write sh -c '...'. Its stdin is empty; its stdout and stderr go to stderr.
    """
    from bench.cli.signals import end_like_ctrl_c
    from bench.compare import gate
    from bench.measurement.commands_in_turns import CommandPair, CommandPairSettings

    wanted = [gate.limit(text) for text in limits]
    if len(commands) != 2:
        raise UsageError(
            f"ab takes two commands, each quoted as one argument; there {_are(len(commands))}.",
            f"For example: {EXAMPLE}",
        )
    words: dict[PairSide, list[str]] = {"A": _words(commands[0], "A"), "B": _words(commands[1], "B")}
    end_like_ctrl_c()
    settings = CommandPairSettings(
        runs=runs,
        warmup=warmup,
        gpus=gpus,
        target=target,
        max_seconds=max_seconds,
        seed=seed,
        results=results,
    )
    measured = CommandPair(words, settings, _tell).measure()
    if output is not None:
        _write(measured, output)
    return _judged(measured, wanted, results, output)


def _are(number: int) -> str:
    return {0: "is none", 1: "is one"}.get(number, f"are {number}")


def _words(text: str, side: PairSide) -> list[str]:
    """The words of a command. Raises UsageError where there is none, or no such program."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError(
            f"Command {side} cannot be split into words: {error}.", "Close its quotes."
        ) from error
    if not words:
        raise UsageError(f"Command {side} is empty.", f"For example: {EXAMPLE}")
    if shutil.which(words[0]) is None:
        raise UsageError(f'Command "{words[0]}" was not found.', "Check its name, or give its path.")
    return words


def _tell(runs: int, ratio: Estimate | None) -> None:
    """Progress on stderr, after each four runs."""
    width = None if ratio is None else ratio.relative_half_width
    spread = "" if width is None else f" ±{width:.1%}"
    value = "no ratio yet" if ratio is None else f"B/A {ratio.value:.4f}{spread}"
    click.echo(f"{runs} runs: {value}", err=True)


def _write(measured: ComparedCommands, output: Path) -> None:
    """Write both results as one document."""
    from bench.streams import is_standard
    from bench.view import json_document

    text = json_document.text(measured.model_dump(mode="json", by_alias=True))
    if is_standard(output):
        click.echo(text)
        return
    try:
        output.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{output}: cannot be written: {error.strerror}.") from error


def _judged(measured: ComparedCommands, wanted: Sequence[Limit], results: Path, output: Path | None) -> int:
    """Print the comparison of both, as `compare` does; its exit status."""
    from bench.cli.compare import floors_of
    from bench.compare import gate
    from bench.compare.comparison import compare
    from bench.compare.record_set import RecordSet, StoredRecord, digest_of
    from bench.store.results import to_json
    from bench.streams import is_standard
    from bench.view import comparison

    a, b = (
        RecordSet(each.label, (StoredRecord(each, f"side {side}", digest_of(to_json(each))),), (), (), Path())
        for side, each in zip("AB", measured.results(), strict=True)
    )
    result = compare(a, b, floors=floors_of((*a.found, *b.found), (), results))
    judged = gate.judge(result, wanted, (), strict=False)
    stream = sys.stderr if is_standard(output) else sys.stdout
    written_form.show(comparison.sections(result, judged), stream)
    return judged.status
