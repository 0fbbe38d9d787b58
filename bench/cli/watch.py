"""`python -m bench watch`: power, joules, temperature and clocks as they are, beside any program."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import options
from bench.errors import UsageError


@click.command("watch", context_settings={"allow_interspersed_args": False})
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND ...]")
@options.gpus_option
@click.option(
    "--interval",
    type=options.SecondsParam(min=0.2, max=3600),
    default="1s",
    show_default=True,
    help="Time from look to look.",
)
@click.option(
    "--for", "limit_s", type=options.SecondsParam(min=0.2), help="End after this long, such as 60s."
)
@click.option("--once", is_flag=True, help="One look after one interval, and no live screen.")
@click.option("--json", "as_json", is_flag=True, help="As JSON Lines: one object a look. [default in a pipe]")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV: one row a domain and look.")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), help="The same as --json and --csv.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the lines there, - for stdout; needed for lines beside a COMMAND, whose own stdout is.",
)
@options.grid_option
@click.option(
    "--idle",
    "idle_s",
    type=options.SecondsParam(min=0, max=3600),
    default="0s",
    show_default=True,
    help="With a COMMAND: look at idle power this long before it, for net joules.",
)
@click.option(
    "--runs",
    "repeat",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="With a COMMAND: number of times to run it, for an interval; use at least 5.",
)
@click.option(
    "--per", type=click.Choice(["token"]), help="Joules over what a server beside writes: see --from."
)
@click.option(
    "--from",
    "tokens_from",
    metavar="URL|FILE",
    help="With --per: a server (vLLM, SGLang, llama.cpp --metrics), or a file with the client's count.",
)
@options.debug_option
def command(
    command_line: tuple[str, ...],
    gpus: str | None,
    interval: float,
    limit_s: float | None,
    once: bool,
    as_json: bool,
    as_csv: bool,
    form: str | None,
    output: Path | None,
    grid: str | None,
    idle_s: float,
    repeat: int,
    per: str | None,
    tokens_from: str | None,
) -> int:
    """Show what every card, the CPU and the memory draw now, and their joules since the start.

    On a terminal: a live screen; Ctrl-C ends it, prints the sum, and is status 0. Elsewhere: JSON Lines.

    With a COMMAND: run it, and print its joules on stderr; its exit status is passed on.
    """
    from bench.cli.watch_loop import watch
    from bench.cli.watch_outputs import lines_to, sink
    from bench.footprint.chain import check_grid
    from bench.footprint.grid import choose

    as_json, as_csv = as_json or form == "json", as_csv or form == "csv"
    _refuse_contradictions(command_line, limit_s, once, as_json, as_csv, output, idle_s, repeat)
    _refuse_uncounted(per, tokens_from, command_line, as_csv=as_csv)
    factor = choose(grid)
    check_grid(factor)
    if command_line:
        from bench.cli.watch_command import watch_command

        with lines_to(output, factor, as_csv=as_csv) as lines:
            return watch_command(command_line, gpus, interval, lines, factor, idle_s, repeat)
    with sink(output, factor, as_json=as_json, as_csv=as_csv, once=once) as chosen:
        watch(gpus, interval, interval if once else limit_s, chosen, tokens_from)
    return 0


def _refuse_contradictions(
    command_line: tuple[str, ...],
    limit_s: float | None,
    once: bool,
    as_json: bool,
    as_csv: bool,
    output: Path | None,
    idle_s: float,
    repeat: int,
) -> None:
    if as_json and as_csv:
        raise UsageError("--json and --csv are two formats.", "Choose one.")
    if command_line and (once or limit_s is not None):
        raise UsageError("A COMMAND is watched until it ends.", "Leave out --once and --for.")
    if command_line and (as_json or as_csv) and output is None:
        raise UsageError("stdout is the COMMAND's own.", "Add -o FILE for the lines (-o - for stdout, too).")
    if not command_line and (idle_s or repeat > 1):
        raise UsageError("--idle and --runs are for a COMMAND.", "Write it behind --.")


def _refuse_uncounted(
    per: str | None, tokens_from: str | None, command_line: tuple[str, ...], *, as_csv: bool
) -> None:
    if (per is None) != (tokens_from is None):
        raise UsageError("--per token and --from belong together.", "Add --per token --from URL.")
    if per is not None and (command_line or as_csv):
        raise UsageError(
            "--per token has no rows of CSV, and is not for a COMMAND.", "Use --json, or the live screen."
        )
