"""The command that a line of words means, for tests that hold texts against the command line."""

from __future__ import annotations

from collections.abc import Sequence

import click

from bench.cli import cli


def find(words: Sequence[str]) -> tuple[click.Context, list[str]]:
    """The context of the verb that the words begin with, and the words after it.

    Raises click.UsageError, with the sentence that a user would see, where there is no such verb.
    """
    context, rest = click.Context(cli, info_name="bench"), list(words)
    while isinstance(context.command, click.Group) and rest and not rest[0].startswith("-"):
        name, command, rest = context.command.resolve_command(context, rest)
        assert command is not None
        context = click.Context(command, info_name=name, parent=context)
    return context, rest


def command(path: str) -> click.Command:
    """The command of a whole path such as `footprint people`."""
    context, rest = find(path.split())
    assert not rest
    return context.command
