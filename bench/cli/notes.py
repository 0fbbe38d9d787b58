"""Notes of a running measurement, as lines on stderr."""

from __future__ import annotations

import click

from bench.invocation import as_started
from bench.view.printable import printable


class Notes:
    """A listener that prints sentences on stderr."""

    def note(self, text: str) -> None:
        """One line worth knowing."""
        click.echo(printable(as_started(text)), err=True)
