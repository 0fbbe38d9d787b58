"""Sentences for the waiting user, and notes of a running measurement, as lines on stderr."""

from __future__ import annotations

from collections.abc import Iterable

import click

from bench.invocation import as_started
from bench.view.printable import printable


class Notes:
    """A listener that prints sentences on stderr."""

    def note(self, text: str) -> None:
        """One line worth knowing."""
        tell(text)


def tell(sentence: str) -> None:
    """A line for the waiting user, on stderr, with the program named as it was started."""
    click.echo(printable(as_started(sentence)), err=True)


def tell_problems(problems: Iterable[str]) -> None:
    """Files that could not be read, one sentence each, on stderr."""
    for problem in problems:
        tell(f"Error: {problem}")
