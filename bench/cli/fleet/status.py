"""`python -m bench fleet status ADDRESS`: nodes of a Ray cluster, what each can measure, who measures."""

from __future__ import annotations

import click

from bench.cli import options, written_form
from bench.cli.fleet.run import NODE_FOLDER
from bench.fleet.cluster import Cluster
from bench.fleet.node import NodeFacts
from bench.measurement.case_plan import CasePlan
from bench.view import fleet


@click.command("status")
@click.argument("address", metavar="[ADDRESS]", default="auto")
@click.option("--findings", is_flag=True, help="All findings of the doctor, node by node.")
@written_form.options()
@options.debug_option
def command(address: str, findings: bool) -> int:
    """List the nodes of a Ray cluster: cards, what the doctor finds there, and measurements under way.

    Exit status: 2 where no node can measure.
    """
    with Cluster(address, NODE_FOLDER) as cluster:
        described = cluster.describe(CasePlan(()))
        able = [name for name, facts in described.items() if isinstance(facts, NodeFacts)]
        found = cluster.findings(able, None)
    able = [name for name in able if not isinstance(found[name], str)]
    written_form.show(fleet.sections(described, found, findings=findings))
    return 0 if able else 2
