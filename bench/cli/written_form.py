"""The form of a verb's answer and its place: `--format`, its short forms `--json` and `--csv`, and `-o`.

    @written_form.options("text", "json")       # the verb gets `as_json`
    def command(as_json: bool) -> int: ...

The options mean the same in every verb that shows something. Everything that the verb prints on stdout is
written to the file of `-o`, once it is complete.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

import click

from bench.errors import RecordError, UsageError
from bench.store.own_names import without_home
from bench.store.results import replacing, write_atomically
from bench.streams import MaskedText, is_standard

AnswerForm = Literal["text", "csv", "json"]
Command = Callable[..., int]

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it there. [default: stdout, as is -]",
)


def options(*forms: AnswerForm, json_help: str = "As JSON.") -> Callable[[Command], Command]:
    """The options for an answer in these forms; the verb gets `as_json`, and `as_csv` where it has that."""
    short = {
        form: about
        for form, about in (("csv", "As CSV: all rows; an empty cell is not known."), ("json", json_help))
        if form in forms
    }

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_form(output: Path | None, answer_form: str | None, **values: Any) -> int:
            flags = {form: values.pop(f"as_{form}") or form == answer_form for form in short}
            chosen = [f"--{form}" for form, asked in flags.items() if asked]
            if len(chosen) > 1 or (chosen and answer_form == "text"):
                named = " and ".join(chosen if len(chosen) > 1 else [*chosen, "--format text"])
                raise UsageError(f"{named} are two forms of one answer.", "Take one of them.")
            given = {f"as_{form}": asked for form, asked in flags.items()}
            return _to_file(output, lambda: command(**values, **given))

        made: Any = output_option(with_form)
        made = click.option(
            "--format", "answer_form", type=click.Choice(forms), help="[default: text]", show_choices=True
        )(made)
        for form, about in short.items():
            made = click.option(f"--{form}", f"as_{form}", is_flag=True, help=about)(made)
        return made  # type: ignore[no-any-return]

    return decorate


def _to_file(output: Path | None, command: Callable[[], int]) -> int:
    """Run a verb, with its stdout in the file; nothing is written where it ends by an error."""
    if output is None or is_standard(output):
        return command()
    with _opened(output) as file, contextlib.redirect_stdout(file):
        status = command()
    click.echo(str(output), err=True)
    return status


@contextlib.contextmanager
def _opened(output: Path) -> Iterator[TextIO]:
    """A file that replaces another when complete; a device or a pipe is written to. Raises RecordError."""
    try:
        with contextlib.ExitStack() as stack:
            special = output.exists() and not output.is_file()
            path = output if special else stack.enter_context(replacing(output))
            yield stack.enter_context(MaskedText(path.open("wb"), further=without_home, encoding="utf-8"))
    except OSError as error:
        raise _cannot_write(output, error) from error


def _cannot_write(output: Path, error: OSError) -> RecordError:
    return RecordError(f"{output}: cannot be written: {error.strerror}.")


def write(content: bytes, output: Path | None) -> None:
    """A file, named on stderr once it is complete, or stdout. Raises RecordError."""
    if output is None or is_standard(output):
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        write_atomically(output, content)
    except OSError as error:
        raise _cannot_write(output, error) from error
    click.echo(str(output), err=True)
