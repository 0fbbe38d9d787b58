"""`python -m bench footprint drafts RECORD`: what kept outputs took until one was accepted."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli import completing, options, written_form
from bench.cli.record_arguments import kept_record
from bench.errors import UsageError
from bench.footprint.drafts import judge as judging
from bench.footprint.drafts.accepted import AcceptedDrafts, accepted_drafts, checked
from bench.footprint.drafts.checks import DraftCheck, parse
from bench.footprint.drafts.outputs import distinct, kept
from bench.store.results import to_json, write_atomically
from bench.streams import is_standard
from bench.view import drafts as view


@click.command("drafts")
@click.argument("name", metavar="RECORD", shell_complete=completing.records)
@click.option(
    "--accept",
    "accepts",
    multiple=True,
    metavar="CHECK",
    help="length=200..300 (words), language=en, regex=..., command=... (no shell), python=module:function. "
    "All have to accept. [default: `accept` of the model in models.yaml]",
)
@click.option(
    "--judge-prompts",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --judge: the prompts that it was asked. Without: write them, and stop.",
)
@click.option("--judge", metavar="RECORD", help="Of the model that was run with --prompts FILE.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the account there, as JSON for scenario; - for stdout, alone.",
)
@options.models_option
@options.results_option
@written_form.options("json", to_file=False)
@options.debug_option
def command(
    name: str,
    accepts: tuple[str, ...],
    judge_prompts: Path | None,
    judge: str | None,
    output: Path | None,
    models: Path | None,
    results: Path,
    as_json: bool,
) -> int:
    """Check the kept outputs of a record: share accepted, attempts and joules per accepted item.

    RECORD is one of a run with --save-outputs. A model judges in three steps: see docs/councils-agents.md.
    """
    if judge_prompts is not None and judge is None:
        return _write_prompts(name, results, judge_prompts)
    checks = _checks(name, results, models, accepts, judged=judge is not None)
    account = _account(name, results, checks, judge, judge_prompts)
    if output is not None:
        written_form.write(to_json(account).encode(), output)
    if is_standard(output):
        return 0
    if as_json:
        click.echo(to_json(account), nl=False)
    else:
        written_form.show(view.sections([account]))
    return 0


def _checks(
    name: str, results: Path, models: Path | None, accepts: tuple[str, ...], *, judged: bool
) -> list[DraftCheck]:
    """The checks of the line, else those of the model in the catalogue; none beside a judge alone."""
    if not accepts and not judged:
        model = options.load_catalogue(models).models.get(kept_record(name, results).record.case.model)
        accepts = tuple((model.accept if model else None) or ())
    if not accepts and not judged:
        raise UsageError("No check is named.", "Name one: --accept length=200..300.")
    return [parse(text) for text in accepts]


def _account(
    name: str, results: Path, checks: list[DraftCheck], judge: str | None, prompts_file: Path | None
) -> AcceptedDrafts:
    stored = kept_record(name, results)
    drafts = kept(stored.record, Path(stored.where))
    found, rejected = checked(distinct(drafts), checks)
    by = [check.text for check in checks]
    judge_record = None
    if judge is not None:
        if prompts_file is None:
            raise UsageError(
                "--judge needs the prompts that it was asked.", "Name them: --judge-prompts FILE."
            )
        said = kept_record(judge, results)
        judge_record = said.record
        of_judge = judging.verdicts(distinct(drafts), judge_record, Path(said.where), prompts_file)
        found = {key: found[key] and of_judge[key] for key in found if key in of_judge}
        label = f"judge {judge_record.label}"
        rejected |= {label: sum(not accepted for accepted in of_judge.values())}
        by.append(label)
    return accepted_drafts(stored.record, drafts, found, by, rejected=rejected, judge=judge_record)


def _write_prompts(name: str, results: Path, path: Path) -> int:
    stored = kept_record(name, results)
    drafts = distinct(kept(stored.record, Path(stored.where)))
    write_atomically(path, judging.judge_prompts(drafts))
    click.echo(
        f"{path}: {len(drafts)} prompts. Measure the judge with: bench run JUDGE --prompts {path} "
        "--new-tokens 16 --save-outputs"
    )
    return 0
