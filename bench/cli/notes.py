"""Notes of a running measurement, as lines on stderr."""

from __future__ import annotations

import click


class Notes:
    """A listener that prints sentences on stderr."""

    def note(self, text: str) -> None:
        """One line worth knowing."""
        click.echo(text, err=True)
