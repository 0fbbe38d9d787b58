"""A command whose help lists its options in groups, for those with too many for one list.

GROUPS names the parameters of each group of `bench run`; those of modalities come from their registry.
"""

from __future__ import annotations

import click

from bench.cli import modality_flags

GROUPS = {
    "Machine": "gpus device expected_gpus part fleet every_node",
    "Work": "models weights batch dtype seed attention compiled allow_remote_code",
    "Server": "workload endpoint nodes restarts",
    "Several cases": "axes exclude order order_seed yes again pair",
    "Precision": "target max_seconds block_seconds idle_seconds quick",
    "Output": "results country save_outputs notes dry_run debug",
}
MODALITIES = "Work of one modality"


def group_of(name: str) -> str:
    """Title of the group of a parameter of `bench run`. Raises KeyError for an unknown one."""
    if name in modality_flags.names():
        return MODALITIES
    return {each: title for title, names in GROUPS.items() for each in names.split()}[name]


class GroupedCommand(click.Command):
    """The options under the titles of `GROUPS`, those of modalities last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a group."""
        sections: dict[str, list[tuple[str, str]]] = {title: [] for title in (*GROUPS, MODALITIES)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                of_help = parameter is self.get_help_option(ctx)
                sections["Output" if of_help else group_of(str(parameter.name))].append(record)
        for title, records in sections.items():
            with formatter.section(f"{title} options"):
                formatter.write_dl(records)
