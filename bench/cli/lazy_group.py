"""A group of verbs of which only the one that is used is imported, so that `--help` stays quick."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click
from click.shell_completion import CompletionItem

from bench.cli.suggesting import sentence
from bench.cli.verbs import Verb
from bench.invocation import as_started

PIPE_CLOSED = 141
"""128 + SIGPIPE, as a shell reports a program whose output was closed."""


@contextmanager
def quiet_on_closed_output() -> Iterator[None]:
    """End with status 141 and without a word where stdout is closed early, as other programs in a pipe do.

    Click would end with status 1, which here is a regression.
    """
    try:
        yield
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # for what is left unwritten when Python ends
        raise click.exceptions.Exit(PIPE_CLOSED) from None


class StartedHelp(click.HelpFormatter):
    """Help that names this program as it was started, put in before lines are broken."""

    def write_text(self, text: str) -> None:
        """Write a paragraph."""
        super().write_text(as_started(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], *args: Any, **more: Any) -> None:
        """Write options or verbs with what they are for."""
        super().write_dl([(name, as_started(about)) for name, about in rows], *args, **more)


class StartedContext(click.Context):
    """Context of every command, for its help."""

    formatter_class = StartedHelp


class LazyGroup(click.Group):
    """Verbs by name, in sections of the help; a verb's module is imported when the verb is used."""

    context_class = StartedContext

    def __init__(
        self, name: str | None = None, sections: Mapping[str, Mapping[str, Verb]] | None = None, **more: Any
    ) -> None:
        super().__init__(name, subcommand_metavar="VERB ...", **more)
        self.sections = sections or {}
        self.verbs = {name: verb for section in self.sections.values() for name, verb in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs in the order of the help."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The verb's command, or `None` for an unknown one."""
        verb = self.verbs.get(cmd_name)
        if verb is None:
            return None
        if verb.verbs:
            return LazyGroup(cmd_name, {"Verbs": verb.verbs}, help=verb.about)
        command = importlib.import_module(verb.module).command
        assert isinstance(command, click.Command)
        command.context_class = StartedContext
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs section by section, in one column, without importing them."""
        width = max(map(len, self.verbs))
        for title, verbs in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), verb.about) for name, verb in verbs.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin so, and the options of the group, without importing a verb."""
        verbs = [
            CompletionItem(name, help=verb.about)
            for name, verb in self.verbs.items()
            if name.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Parse the line, which prints where it asks for the help or the version."""
        with quiet_on_closed_output():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        with quiet_on_closed_output():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the verb that is nearest to an unknown one."""
        unknown = args and args[0] not in self.verbs and not args[0].startswith("-")
        if unknown and not ctx.resilient_parsing:  # which is how a shell's completion looks a line over
            within = "" if ctx.parent is None else str(self.name)
            raise click.UsageError(sentence(args[0], within), ctx)
        return super().resolve_command(ctx, args)
