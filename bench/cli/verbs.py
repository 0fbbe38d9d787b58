"""The verbs as data: in which section of the help each is, which module runs it, and its line in the help.

A new verb is a module with a `command`, and one entry here. Its line is at most 64 characters, so that the
help has one line a verb on 80 columns. No module is imported before its verb is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple


class Verb(NamedTuple):
    """A command of one word, or a group of commands."""

    about: str
    module: str = ""
    """Module of `command`; empty for a group."""
    verbs: Mapping[str, Verb] = MappingProxyType({})
    """Verbs of a group."""


FOOTPRINT = {
    "record": Verb(
        "Convert a record's joules to grams, SCI, litres and money.", "bench.cli.footprint.record"
    ),
    "people": Verb("List human baselines: a page or image, by every method.", "bench.cli.footprint.people"),
    "published": Verb(
        "List published energy by scope, beside measured energy.", "bench.cli.footprint.published"
    ),
    "reproduce": Verb(
        "Recompute a published comparison, also with measured joules.", "bench.cli.footprint.reproduce"
    ),
    "scenario": Verb(
        "Compare a person, a model, and both together, with ranges.", "bench.cli.footprint.scenario"
    ),
    "drafts": Verb(
        "Check kept outputs: joules per accepted item, with its interval.", "bench.cli.footprint.drafts"
    ),
    "sheet": Verb("Write a blind rating sheet of kept outputs.", "bench.cli.footprint.sheet"),
    "ratings": Verb("Read a rating sheet back: share accepted, joules.", "bench.cli.footprint.ratings"),
    "cost": Verb("Compare the price of electricity with API list prices.", "bench.cli.footprint.cost"),
    "projection": Verb(
        "Project joules to a deployment: power, cards, t CO2e a year.", "bench.cli.footprint.projection"
    ),
    "import": Verb(
        "Read other tools' files as reference rows, never as records.", "bench.cli.footprint.import_"
    ),
}
FLEET = {
    "status": Verb("List a Ray cluster's nodes and what each can measure.", "bench.cli.fleet.status"),
    "slurm": Verb("Write a Slurm script that measures on its nodes; submit it.", "bench.cli.fleet.slurm"),
    "ssh": Verb("Measure on several machines over ssh; fetch their records.", "bench.cli.fleet.ssh"),
}
ROOFLINE = {
    "peaks": Verb(
        "Measure a device's peaks (ceilings): bytes and operations a second.",
        "bench.cli.roofline.peaks",
    ),
    "show": Verb("Compare phases with the device's limits, and variants.", "bench.cli.roofline.show"),
}
INIT = {"ci": Verb("Write GitHub workflows that measure your own code.", "bench.cli.init_ci")}
SECTIONS = {
    "Measure": {
        "run": Verb("Measure suites or models; write one record a case.", "bench.cli.run"),
        "list": Verb("List suites and models, and what fits this machine.", "bench.cli.listing"),
        "doctor": Verb("Check what this machine can measure, and how well.", "bench.cli.doctor"),
        "watch": Verb("Show live watts and joules, also around another program.", "bench.cli.watch"),
        "ab": Verb("Measure two commands in turns, for the ratio of their joules.", "bench.cli.ab"),
        "import-trace": Verb("Convert an agent's recorded run to a trace for run.", "bench.cli.import_trace"),
        "calibrate": Verb("Characterise a card's sensor with a load of two minutes.", "bench.cli.calibrate"),
        "fleet": Verb("Measure on many machines: Ray, Slurm, ssh.", verbs=FLEET),
    },
    "Read": {
        "show": Verb("Print a record for a person, or as JSON.", "bench.cli.show"),
        "report": Verb("Write records as one HTML page, or as Markdown.", "bench.cli.report"),
        "charts": Verb("Write a report's figures as SVG and PNG, with their data.", "bench.cli.charts"),
        "export": Verb("Write records as CSV, JUnit, OpenMetrics and more.", "bench.cli.export"),
        "query": Verb("Query all records in SQL.", "bench.cli.query"),
        "validate": Verb("Check that files are whole records.", "bench.cli.validate"),
    },
    "Judge": {
        "compare": Verb("Compare records: what got better or worse; a gate for CI.", "bench.cli.compare"),
        "accept": Verb("Accept a change that is worse, with its reason.", "bench.cli.accept"),
        "init": Verb("Write files that measure a project of your own.", verbs=INIT),
    },
    "Relate": {
        "footprint": Verb("Relate joules to CO2e, water, money, people, published energy.", verbs=FOOTPRINT),
        "roofline": Verb("Relate joules to what the device can do at most.", verbs=ROOFLINE),
    },
}
TOP = {name: verb for section in SECTIONS.values() for name, verb in section.items()}


def _paths(verbs: Mapping[str, Verb], above: str = "") -> Iterator[tuple[str, Verb]]:
    for name, verb in verbs.items():
        yield above + name, verb
        yield from _paths(verb.verbs, f"{above}{name} ")


ALL = dict(_paths(TOP))
"""Verbs and groups by their whole path: `compare`, `footprint`, `footprint people`."""
VERBS = {path: verb for path, verb in ALL.items() if verb.module}
"""Verbs that run: all but the groups."""
