"""`python -m bench footprint import FILE...`: other tools' files as reference rows, never as records.

Exit status: 0 all was taken; 2 wrong use, or something could not be (the rows of the rest are written).
"""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import options
from bench.cli.notes import tell, tell_problems
from bench.cli.written_form import output_option, write
from bench.errors import RecordError, UsageError
from bench.footprint.bundled_rows import FigureSource, Published
from bench.footprint.importers import FORMATS, Asked, imported
from bench.footprint.references import References, text_of

_LISTED = "\n".join(f"{name:12} {each.about}" for name, each in FORMATS.items())


@click.command("import", epilog=f"Formats, known by their content:\n\n\b\n{_LISTED}")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@output_option
@click.option("--tool", "name", type=click.Choice(list(FORMATS)), help="Take it for a file of this tool.")
@click.option("--only", metavar="TEXT", help="Only systems whose name contains this: Qwen3-8B, SANA.")
@click.option("--task", metavar="NAME", help="CodeCarbon: only lines of this task_name.")
@click.option(
    "--items",
    type=click.IntRange(1, 10**12),
    metavar="N",
    help="CodeCarbon: number of items made, which the file lacks.",
)
@click.option("--unit", metavar="NAME", help="With --items: what was made: page, image, query, ...")
@click.option("--system", metavar="NAME", help="The model, where the file does not name it: its hub id.")
@click.option("--source", metavar="WORDS", help="Who published the file, in words.")
@click.option("--url", metavar="URL", help="Where the file is from.")
@options.debug_option
def command(
    files: tuple[Path, ...],
    output: Path | None,
    name: str | None,
    only: str | None,
    task: str | None,
    items: int | None,
    unit: str | None,
    system: str | None,
    source: str | None,
    url: str | None,
) -> int:
    """Read other tools' files into reference rows for display beside measured figures, unranked.

    FILE is - for standard input.
    """
    if (items is None) != (unit is None):
        raise UsageError("--items and --unit belong together.", "For example: --items 1000 --unit image.")
    asked = Asked(items, unit, task, system, source, url)
    found: dict[str, Published] = {}
    sources: dict[str, FigureSource] = {}
    problems = []
    for path in dict.fromkeys(files):
        try:
            made, notes, left_out = imported(path, asked, name)
        except RecordError as error:
            problems.append(str(error))
            continue
        kept = {row.id: row for row in made.figures if only is None or only.lower() in row.system.lower()}
        problems += left_out
        found |= kept
        sources |= made.sources if kept else {}
        for sentence in notes:
            tell(sentence)
    if found:
        _write(References(tuple(found.values()), sources), output)
    elif not problems:
        problems.append(f"No row is of a system whose name contains {only}.")
    tell_problems(problems)
    return 2 if problems else 0


def _write(rows: References, output: Path | None) -> None:
    write(text_of(rows).encode(), output)
    none = sum(row.value is None for row in rows.figures)
    without = f", {none} of them without a figure (see their notes)" if none else ""
    click.echo(f"{len(rows.figures)} reference rows{without}; none is a measurement of ours.", err=True)
