"""`python -m bench validate PATH...`: whether files are whole records or packages; fit for a pre-commit hook.

Exit status: 0 all are; 2 one is not, or nothing was found.
"""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.notes import tell, tell_problems
from bench.compare import trace_check
from bench.compare.record_selection import load_all
from bench.compare.record_set import StoredRecord, is_record
from bench.compare.rederived import blocks_against_headline
from bench.core.words import counted
from bench.errors import RecordError, UsageError
from bench.fleet import opening, signing
from bench.fleet.package_check import check
from bench.store import traces
from bench.store.traces import MissingTraceError
from bench.view.package import package_section


@click.command("validate")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completing.records)
@click.option("--quiet", is_flag=True, help="Say nothing of what is in order.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    metavar="PUBLIC",
    help="Ask that packages are signed by this ed25519 key.",
)
@written_form.options()
@options.results_option
@options.debug_option
def command(paths: tuple[str, ...], quiet: bool, key_file: Path | None, results: Path) -> int:
    """Check that files, and all files in folders, are whole records, and follow from blocks and traces.

    Of a package (`python -m bench export package`) every file is held against its digest, and every headline
    is derived anew from its samples.
    """
    packages = [path for path in paths if opening.is_package(Path(path))]
    statuses = [_package(Path(path), key_file, quiet) for path in packages]
    if key_file is not None and len(packages) < len(paths):
        raise UsageError("--key is for packages, and a path is none.", "Leave it out.")
    records = tuple(path for path in paths if path not in packages)
    return max([*statuses, *([_records(records, quiet, results)] if records else [])])


def _package(path: Path, key_file: Path | None, quiet: bool) -> int:
    """Check one package; 2 where a file or a headline contradicts the rest."""
    package = opening.open_package(path)
    found = list(check(package))
    problems = [f"{path}: {problem}." for each in found for problem in each.problems]
    of_records = {name for node in package.manifest.nodes for entry in node.records for name in entry.named}
    problems += [
        f"{path}: {name}: {fault}." for name, fault in package.faults.items() if name not in of_records
    ]
    if key_file is not None and package.signed_by != (asked := signing.public(key_file)):
        problems.append(f"{path}: its signature is {package.signed_by or 'absent'}, not of the key {asked}.")
    if not quiet:
        written_form.show([package_section(package, found)])
    tell_problems(problems)
    return 2 if problems else 0


def _records(paths: tuple[str, ...], quiet: bool, results: Path) -> int:
    problems: list[str] = []
    whole = borne_out = away = 0
    for path in paths:
        source = load_all(path, results, tell)
        problems += source.problems
        for found in source.found:
            unlike = blocks_against_headline(found.record)
            wrong = f"{found.where}: {unlike}." if unlike else None
            try:
                if is_record(found):
                    wrong = wrong or _not_traced(found)
                    borne_out += found.record.trace is not None and not wrong
            except MissingTraceError:
                away += 1
            except RecordError as error:
                wrong = str(error)
            problems += [wrong] if wrong else []
            whole += not wrong
    tell_problems(problems)
    if not quiet:
        said = [f"{counted(whole, 'whole record')}, {len(problems)} not."]
        if borne_out or away:
            said.append(f"Traces: {borne_out} bear out their record, {away} not beside it.")
        written_form.show(said)
    return 2 if problems else 0


def _not_traced(found: StoredRecord) -> str | None:
    """Contradictions between a record and its trace. Raises RecordError if the trace cannot be read."""
    trace = traces.read(Path(found.where), found.record)
    wrong = list(trace_check.problems(found.record, trace)) if trace is not None else []
    return f"{found.where}: {'; '.join(wrong[:3])}." if wrong else None
