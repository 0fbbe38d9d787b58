"""Command line: a verb, or a group and a verb.

`bench.cli.verbs` lists them; each is a module of its own, imported only when it is used. The help has four
sections: verbs that measure, that read records, that judge them, and that relate joules to other things.

Results go to stdout, everything else to stderr. Exit status: 0 fine, 1 a failed case or a regression, 2 wrong
use or something missing, 3 invalid or inconclusive, 70 a fault in this program, 130 interrupted, 141 the
reader of the output is gone.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback

import click

import bench
from bench.cli.lazy_group import LazyGroup
from bench.cli.verbs import SECTIONS
from bench.core.secrets import masked
from bench.dependencies import missing
from bench.errors import INTERNAL_FAULT, BenchError
from bench.invocation import as_started, program
from bench.streams import mask_streams
from bench.view.printable import printable

PROGRAM = "joulebench"
"""The console script of pyproject.toml, which shells complete; `python -m bench` is not a program to them."""
LINES = "\n\t"
"""What an error has of control characters: others might come from a record, and steer the terminal."""
COMPLETE = f"_{PROGRAM.upper()}_COMPLETE"
"""Variable by which a shell asks for completions, as in click's documentation."""


@click.group(cls=LazyGroup, sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(bench.__version__, prog_name="joulebench")
def cli() -> None:
    """Joules and grams of CO2e per page and image, measured on this machine.

    Start with `python -m bench list`, then `python -m bench run`.
    """


def main() -> None:
    """Run the command line and end the process with its exit status.

    What is written has no secret, and `?` for what the terminal's encoding cannot express (`—` in Latin-1, a
    name that is not UTF-8).
    """
    mask_streams()
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(cli, {}, PROGRAM, COMPLETE, os.environ[COMPLETE]))
    sys.exit(invoke(sys.argv[1:]))


def _shown(text: str) -> str:
    """A sentence for the terminal: the program as it was started, no secret, no control code."""
    return printable(masked(as_started(text)), LINES)


def invoke(arguments: list[str]) -> int:
    """The exit status of one command line; errors become one sentence on stderr."""
    try:
        result = cli.main(arguments, prog_name=program(), standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(file=shown)
        click.echo(_shown(shown.getvalue()), err=True, nl=False)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return 130
    except BenchError as error:
        if "--debug" in arguments:
            click.echo(masked(traceback.format_exc()), err=True, nl=False)
        click.echo(f"Error: {_shown(str(error))}", err=True)
        return error.exit_status
    except Exception as error:  # noqa: BLE001 - the boundary: a fault of ours is one sentence, too
        if "--debug" in arguments:
            click.echo(masked(traceback.format_exc()), err=True, nl=False)
        if isinstance(error, ModuleNotFoundError) and (lacking := missing(error, arguments)):
            click.echo(f"Error: {as_started(str(lacking))}", err=True)
            return lacking.exit_status
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            click.echo(f"Error: the output cannot be written: {error.strerror}.", err=True)
            return 2
        if isinstance(error, FileNotFoundError) and "No usable temporary directory" in str(error):
            click.echo("Error: no folder for temporary files can be written. Name one: TMPDIR=DIR.", err=True)
            return 2
        fault = _shown(f"{type(error).__name__}: {error}")
        click.echo(f"Error: a fault in joulebench itself: {fault}.", err=True)
        click.echo("Run again with --debug, and report its output.", err=True)
        return INTERNAL_FAULT
    return result if isinstance(result, int) else 0
