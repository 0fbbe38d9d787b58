"""`python -m bench export FORMAT PATH... -o FILE`: records or a comparison for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options
from bench.cli.compare import accepted_option, of_two, vary_option
from bench.cli.export_formats import FORMATS, PACKAGE
from bench.cli.notes import tell, tell_problems
from bench.cli.written_form import output_option, write
from bench.compare import accepted
from bench.compare.record_selection import load
from bench.errors import UsageError
from bench.fleet import package, signing

_LISTED = "\n".join(f"{name:24} {each.about}" for name, each in FORMATS.items())


@click.command("export", epilog=f"Formats:\n\n\b\n{_LISTED}")
@click.argument("name", metavar="FORMAT", type=click.Choice(list(FORMATS)))
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completing.records)
@output_option
@click.option(
    "--sign",
    "key_file",
    type=click.Path(path_type=Path),
    metavar="KEY",
    help="Sign a package by an ed25519 private key (PEM or OpenSSH).",
)
@vary_option
@accepted_option
@options.results_option
@options.debug_option
def command(
    name: str,
    paths: tuple[str, ...],
    output: Path | None,
    key_file: Path | None,
    vary: tuple[str, ...],
    accepted_file: Path | None,
    results: Path,
) -> int:
    """Write records, or the comparison of A and B, in another program's format.

    Each PATH is a file, a folder, either as committed (main:results/...), a run's id, latest, or - for
    standard input; formats of a comparison take two.
    """
    chosen = FORMATS[name]
    if key_file is not None and chosen is not PACKAGE:
        raise UsageError(f"--sign is for the format package; {name} has no signature.", "Leave it out.")
    if chosen.of_comparison is not None:
        result = of_two(paths, vary, results)
        entries = accepted.read(accepted_file or result.a.folder / accepted.FILE_NAME)
        content, problems = chosen.of_comparison(result, entries), result.problems
    else:
        assert chosen.of_records is not None, "a format is of records or of a comparison"
        loaded = [load(path, results, tell) for path in paths]
        problems = tuple(problem for source in loaded for problem in source.problems)
        found = {each.digest: each for source in loaded for each in source.found}
        if not found:
            tell_problems(problems)
            raise UsageError("No record to export was found.")
        stored = list(found.values())
        content = package.packed(stored, signing.load(key_file)) if key_file else chosen.of_records(stored)
    write(content, output)
    tell_problems(problems)
    return 2 if problems else 0
