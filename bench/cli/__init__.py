"""What a person types. Each verb is a module of its own, imported only when it is used.

    python -m bench run [SUITE|MODEL ...]    measure
    python -m bench list                     what can be measured here
    python -m bench doctor                   what this machine can measure, and how well
    python -m bench watch [-- COMMAND ...]   watts and joules live, beside any program or around one
    python -m bench calibrate                how well a card's sensor sees, with a load of two minutes
    python -m bench ceilings                 bytes and operations a second that a device reaches
    python -m bench show FILE                one record, for a person or for a machine
    python -m bench compare A B              what became better or worse; a gate for CI
    python -m bench limits PATH              how near the card's limits a record comes, and what variants save
    python -m bench accept A B --reason ...  let a change that is worse pass the gate
    python -m bench export FORMAT PATH       records for other programs
    python -m bench report                   a page for people, or Markdown
    python -m bench figures -o DIR           its charts as SVG and PNG, with captions and data
    python -m bench query "SELECT ..."       any question to all records, in SQL
    python -m bench validate PATH            whether files are whole records
    python -m bench footprint FILE           grams, SCI, litres and money of a record, step by step
    python -m bench humans                   what a person's page or image takes, by every method
    python -m bench reproduce tomlinson2024  a published comparison, step by step, and with measured joules
    python -m bench published                published figures by scope, beside measured ones
    python -m bench import FILE              other tools' files as reference rows

Results go to stdout, everything else to stderr. Exit status: 0 fine, 1 a failed case or a regression, 2 wrong
use or something missing, 3 invalid or inconclusive, 70 a fault in this program, 130 interrupted, 141 nobody
reads the output any more.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import signal
import sys
import traceback
from typing import Any

import click

import bench
from bench.dependencies import missing
from bench.errors import BenchError

VERBS = {
    "run": ("bench.cli.run", "Measure suites or models and write one record a case."),
    "list": ("bench.cli.listing", "List suites and models, and what fits this machine."),
    "doctor": ("bench.cli.doctor", "Say what this machine can measure, and how well."),
    "watch": ("bench.cli.watch", "Show watts and joules live, beside any program or around one."),
    "calibrate": ("bench.cli.calibrate", "Find out how a card's sensor sees, with a load of two minutes."),
    "ceilings": ("bench.cli.ceilings", "Measure the memory bandwidth and matrix rate of a device."),
    "show": ("bench.cli.show", "Print a record for a person, or as JSON."),
    "compare": ("bench.cli.compare", "Compare records: what became better or worse, and by how much."),
    "limits": ("bench.cli.limits", "Hold phases against the device's limits, and variants side by side."),
    "accept": ("bench.cli.accept", "Accept a change that is worse, with its reason."),
    "export": ("bench.cli.export", "Write records for other programs: CSV, JUnit, OpenMetrics and more."),
    "report": ("bench.cli.report", "Write a report for people: one HTML page, or Markdown."),
    "figures": ("bench.cli.figures", "Write a report's charts as SVG and PNG, with captions and data."),
    "query": ("bench.cli.query", "Ask all records in SQL."),
    "validate": ("bench.cli.validate", "Check that files are whole records."),
    "footprint": ("bench.cli.footprint", "Say what follows from a record's joules, step by step."),
    "humans": ("bench.cli.humans", "Say what a person's page or image takes, by every method."),
    "reproduce": ("bench.cli.reproduce", "Work a published comparison out again, and with measured joules."),
    "published": ("bench.cli.published", "List published figures by scope, beside measured ones."),
    "import": ("bench.cli.import_", "Read other tools' files into reference rows, never into records."),
    "scenario": ("bench.cli.scenario", "Compare a person, a model, and both together, with ranges."),
    "cost": ("bench.cli.cost", "Set the price of electricity beside API list prices."),
    "project": ("bench.cli.project", "Scale joules up to a fleet: power, cards, MWh and t CO2e a year."),
}


PIPE_CLOSED = 128 + signal.SIGPIPE
INTERNAL_FAULT = 70
"""`EX_SOFTWARE` of sysexits.h: never 1, which would tell a gate of a regression."""


class LazyGroup(click.Group):
    """Verbs by name; a verb's module is imported when the verb is used, not for `--help`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs, in the order in which a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The verb's command, or `None` for an unknown one."""
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(VERBS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, about) for name, (_, about) in VERBS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; where nobody reads its output any more, end quietly, as other programs in a pipe do.

        Click would end with status 1, which here is a regression.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())  # for what is left unwritten when Python ends
            return PIPE_CLOSED

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which verb is near an unknown one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from bench.catalog.loading import nearest

            raise click.UsageError(f'There is no verb "{args[0]}". {nearest(args[0], VERBS)}', ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bench.__version__, prog_name="joulebench")
def cli() -> None:
    """Joules and grams of CO2e per page and image, measured on this machine.

    Start with `python -m bench list`, then `python -m bench run`.
    """


def main() -> None:
    """Run the command line and end the process with its exit status.

    What the terminal's encoding cannot hold (`—` in Latin-1, a name that is not UTF-8) is written as `?`.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # there may be none, or a program's own in its place
            stream.reconfigure(errors="replace")
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """The exit status of one command line; errors become one sentence on stderr."""
    try:
        result = cli.main(arguments, prog_name="python -m bench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return 130
    except BenchError as error:
        if "--debug" in arguments:
            traceback.print_exc()
        click.echo(f"Error: {error}", err=True)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - the boundary: a fault of ours is one sentence, too
        if "--debug" in arguments:
            traceback.print_exc()
        if isinstance(error, ModuleNotFoundError) and (lacking := missing(error, arguments)):
            click.echo(f"Error: {lacking}", err=True)
            return lacking.exit_status
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            click.echo(f"Error: the output cannot be written: {error.strerror}.", err=True)
            return 2
        if isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error):
            click.echo("Error: no folder for temporary files can be written. Name one: TMPDIR=DIR.", err=True)
            return 2
        click.echo(f"Error: a fault in joulebench itself: {type(error).__name__}: {error}.", err=True)
        click.echo("Run again with --debug, and report what it says.", err=True)
        return INTERNAL_FAULT
    return result if isinstance(result, int) else 0
