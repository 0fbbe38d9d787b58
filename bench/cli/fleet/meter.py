"""`python -m bench fleet meter`: metering agent of a node, for a server that is spread over several."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bench.cli import options
from bench.cli.notes import Notes
from bench.cli.signals import end_like_ctrl_c
from bench.fleet.meter_plan import MeterPlan
from bench.measurement.context import RunContext
from bench.measurement.run import run
from bench.meters.nodes.address import host_and_port
from bench.meters.nodes.messages import TOKEN_VARIABLE


@click.command("meter")
@click.option(
    "--listen",
    default="127.0.0.1:9200",
    show_default=True,
    metavar="HOST:PORT",
    help="Address and port; port 0: a free one.",
)
@options.gpus_option
@options.results_option
@options.debug_option
def command(listen: str, gpus: str | None, results: Path) -> int:
    """Meter this node for `python -m bench run --node` of another machine, until Ctrl-C.

    All cards, or those of --gpus, are locked meanwhile. The token is in the variable
    JOULEBENCH_METER_TOKEN, 16 characters or more, the same on all machines. It is sent unencrypted: use a
    private network, or a tunnel of ssh to 127.0.0.1.
    """
    end_like_ctrl_c()
    host, port = host_and_port(listen, "--listen", free=True)
    plan = MeterPlan(gpus, host, port, os.environ.get(TOKEN_VARIABLE, ""))
    try:
        run(plan, RunContext(results, Notes()))
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    return 0
