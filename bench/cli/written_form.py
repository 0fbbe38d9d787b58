"""The form of a verb's answer and its place: `--format`, its short forms `--json` and `--csv`, and `-o`.

    @written_form.options("json")       # the verb gets `as_json`
    def command(as_json: bool) -> int:
        ...
        written_form.show(sections(found))      # as text, or as Markdown

The options mean the same in every verb that shows something: its sections as `text` or `md`, and where it has
them plain values as `json` or `csv`. Everything that the verb prints on stdout is written to the file of
`-o`, once it is complete.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

import click

from bench.core.secrets import masked
from bench.errors import RecordError, UsageError
from bench.store.own_names import without_home
from bench.store.results import replacing, write_atomically
from bench.streams import MaskedText, is_standard
from bench.view import markdown, terminal
from bench.view.terminal import SectionsAndParts

DataForm = Literal["csv", "json"]
Command = Callable[..., int]
AS_MARKDOWN = "bench.cli.written_form.as_markdown"
"""Key of click's context: whether sections are shown as Markdown."""

output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it there. [default: stdout, as is -]",
)


def options(
    *forms: DataForm, json_help: str = "As JSON.", to_file: bool = True
) -> Callable[[Command], Command]:
    """The options for an answer as text, as Markdown, and in these forms, by `as_json` and `as_csv`.

    A verb whose `-o` is for something else has them without `to_file`.
    """
    short = {
        form: about
        for form, about in (("csv", "As CSV: all rows; an empty cell is not known."), ("json", json_help))
        if form in forms
    }

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_form(answer_form: str | None, **values: Any) -> int:
            flags = {form: values.pop(f"as_{form}") or form == answer_form for form in short}
            chosen = [f"--{form}" for form, asked in flags.items() if asked]
            of_sections = answer_form if answer_form in ("text", "md") else None
            if len(chosen) > 1 or (chosen and of_sections):
                named = " and ".join(chosen if len(chosen) > 1 else [*chosen, f"--format {of_sections}"])
                raise UsageError(f"{named} are two forms of one answer.", "Take one of them.")
            given = {f"as_{form}": asked for form, asked in flags.items()}
            click.get_current_context().meta[AS_MARKDOWN] = of_sections == "md"
            output = values.pop("output") if to_file else None
            return _to_file(output, lambda: command(**values, **given))

        made: Any = output_option(with_form) if to_file else with_form
        choice = click.Choice(("text", "md", *forms))
        made = click.option("--format", "answer_form", type=choice, help="[default: text]")(made)
        for form, about in short.items():
            made = click.option(f"--{form}", f"as_{form}", is_flag=True, help=about)(made)
        return made  # type: ignore[no-any-return]

    return decorate


def show(parts: SectionsAndParts, stream: TextIO | None = None) -> None:
    """Print sections on a stream (stdout by default) in the form that was asked for."""
    as_markdown = click.get_current_context().meta[AS_MARKDOWN]
    shown = markdown.text(parts) if as_markdown else terminal.text(parts, stream)
    click.echo(shown, file=stream, nl=False)


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


def shareable(text: str) -> str:
    """The text without the home and without secrets, which records of another process may have."""
    return without_home(masked(text))


def _shareable_bytes(content: bytes) -> bytes:
    """The same of a text; packages, whose digests are of the records as they are, and Parquet stay."""
    try:
        return shareable(content.decode()).encode()
    except UnicodeDecodeError:
        return content


def write(content: bytes, output: Path | None) -> None:
    """A file, named on stderr once it is complete, or stdout. Raises RecordError."""
    content = _shareable_bytes(content)
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
