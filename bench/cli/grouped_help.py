"""A command whose help lists its options in groups, for those with too many for one list.

GROUPS names the parameters of each group of `bench run`; those of modalities come from their registry.
Defaults of the catalogue are shown with their values, from the catalogue that a run here would read.
"""

from __future__ import annotations

import click

from bench.cli import completing, modality_flags

GROUPS = {
    "Machine": "gpus device expected_gpus part fleet every_node",
    "Work": "models weights batch replicas dtype seed attention compiled allow_remote_code",
    "Server": "workload endpoint nodes restarts",
    "Several cases": "axes exclude order order_seed yes again pair",
    "Precision": "target max_seconds block_seconds idle_seconds quick",
    "Output": "results country save_outputs notes dry_run debug",
}
MODALITIES = "Work of one modality"
OF_MODEL = ("Work", MODALITIES)
"""Groups whose defaults are each model's own."""
OF_CATALOGUE = ("country", "target", "max_seconds", "block_seconds", "idle_seconds")
"""Parameters whose defaults are under `defaults` of the catalogue."""


def group_of(name: str) -> str:
    """Title of the group of a parameter of `bench run`. Raises KeyError for an unknown one."""
    if name in modality_flags.names():
        return MODALITIES
    return {each: title for title, names in GROUPS.items() for each in names.split()}[name]


class GroupedCommand(click.Command):
    """The options under the titles of `GROUPS`, those of modalities last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a group."""
        defaults = _of_catalogue()
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (*GROUPS, MODALITIES)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                default = defaults.get(str(parameter.name))
                if default is not None:
                    record = (record[0], f"{record[1]}  [default: {default}]")
                of_help = parameter is self.get_help_option(ctx)
                sections["Output" if of_help else group_of(str(parameter.name))].append(record)
        for title, records in sections.items():
            own = " (default: the model's)" if title in OF_MODEL else ""
            with formatter.section(f"{title} options{own}"):
                formatter.write_dl(records)


def _of_catalogue() -> dict[str, str]:
    """Values under `defaults` of the catalogue, as they would be typed."""
    stated = dict(completing.catalogue_part("defaults"))
    named = stated.pop("measure", None)
    found = stated | (named if isinstance(named, dict) else {})
    return {name: _typed(name, found[name]) for name in OF_CATALOGUE if name in found}


def _typed(name: str, value: object) -> str:
    return f"{100 * value:g}%" if name == "target" and isinstance(value, float) else str(value)
