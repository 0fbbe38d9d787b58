"""`python -m bench fleet ssh HOST,HOST SUITE`: a suite on several machines, their records fetched."""

from __future__ import annotations

import shlex
import threading
from pathlib import Path

import click

from bench.cli import options
from bench.cli.signals import end_like_ctrl_c
from bench.errors import UsageError
from bench.fleet import over_ssh
from bench.fleet.over_ssh import HostDone, RemoteRun
from bench.machine.expected_gpus import parse
from bench.measurement.outcome import gravest
from bench.view.printable import printable


@click.command("ssh")
@click.argument("hosts", metavar="HOST,HOST")
@click.argument("suite", nargs=-1, required=True, metavar="SUITE...")
@click.option(
    "--folder",
    default="joulebench",
    show_default=True,
    help="Checkout on each machine, from the home folder.",
)
@click.option("--gpu", "gpus", metavar="MODEL:COUNT", help="Cards of a machine; one with others is refused.")
@click.option(
    "--container",
    metavar="COMMAND",
    help="Starts a container with the checkout in it: 'apptainer exec --nv bench.sif'.",
)
@click.option("--python", default=".venv/bin/python", show_default=True, help="Interpreter in the checkout.")
@click.option(
    "--run", "run_options", multiple=True, metavar="OPTION", help="For bench run: --quick. Repeatable."
)
@options.results_option
@options.debug_option
def command(
    hosts: str,
    suite: tuple[str, ...],
    folder: str,
    gpus: str | None,
    container: str | None,
    python: str,
    run_options: tuple[str, ...],
    results: Path,
) -> int:
    """Measure suites or models on several machines side by side, over ssh, and fetch their records.

    Keys, users and ports are those of ~/.ssh/config; no password is asked for. The same command goes on where
    a machine was lost.
    """
    named = tuple(dict.fromkeys(host.strip() for host in hosts.split(",") if host.strip()))
    if not named or any(host.startswith("-") for host in named):
        raise UsageError(f"{hosts!r} names no machines.", "For example: gpu1,user@gpu2.")
    end_like_ctrl_c()
    lock, width = threading.Lock(), max(map(len, named))

    def say(host: str, line: str) -> None:
        with lock:
            click.echo(f"{host:{width}}  {printable(line)}", err=True)

    remote = RemoteRun(
        hosts=named,
        suite=suite,
        folder=folder,
        python=python,
        results=results,
        gpus=parse(gpus) if gpus is not None else None,
        container=_words(container or ""),
        options=run_options,
    )
    done = list(over_ssh.measure(remote, say))
    for each in done:
        say(each.host, _sentence(each))
    return gravest(_status(each) for each in done)


def _words(container: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(container))
    except ValueError as error:
        raise UsageError(f"--container: its quotes do not match: {container}.", "Close them.") from error


def _sentence(done: HostDone) -> str:
    if done.reason is not None:
        return f"{done.reason} (status {done.status}); the same command goes on there"
    return f"done, status {done.status}, records fetched"


def _status(done: HostDone) -> int:
    """A machine's own status; 1 where it could not be reached or its records are not here."""
    return done.status if done.reason is None else 1
