"""What a measurement has to say meanwhile, as lines on stderr."""

from __future__ import annotations

import click


class Notes:
    """A listener that is told sentences alone."""

    def note(self, text: str) -> None:
        """One line worth knowing."""
        click.echo(text, err=True)
