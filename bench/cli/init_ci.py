"""`python -m bench init ci`: GitHub workflows that measure the joules of a project's own code."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from bench.cli import options
from bench.errors import PrerequisiteError, UsageError

FILES = ("energy-hosted.yml", "energy-gpu.yml")
NEXT = (
    "Before the first push, set the repository's variable JOULEBENCH, since no package index has joulebench: "
    '"joulebench[pytest] @ git+https://HOST/OWNER/joulebench@COMMIT".'
)
"""What the files need and cannot know."""


@click.command("ci")
@click.option("--force", is_flag=True, help="Write over workflows of these names.")
@options.debug_option
def command(force: bool) -> int:
    """Write GitHub workflows below .github/workflows: hosted CPU, and a self-hosted GPU.

    Each measures tests with the pytest plugin and one command in turns (ab), of the base commit against this
    one. Printed are the files written. They need the repository's variable JOULEBENCH: the address to install
    from.
    """
    folder = Path(".github") / "workflows"
    there = [path for name in FILES if (path := folder / name).exists()]
    if there and not force:
        raise UsageError(f"{there[0]} exists already.", "Write over it with --force.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            text = (resources.files("bench.data") / "workflows" / name).read_text(encoding="utf-8")
            (folder / name).write_text(text, encoding="utf-8")
            click.echo(folder / name)
    except OSError as error:
        raise PrerequisiteError(f"{folder}: cannot be written: {error.strerror}.") from error
    click.echo(NEXT, err=True)
    return 0
