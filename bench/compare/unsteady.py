"""Note beside a comparison in which a run's own interval is wide, with the way out that its records allow.

note(a, b)      # "unsteady: ... In turns (`python -m bench run --pair`) such a machine resolves more."
"""

from __future__ import annotations

from bench.compare.identity import card
from bench.core.measurement import Measurement
from bench.core.record import Record

SEEN = (
    "unsteady: a run's own interval is wider than ±2 %, so the next run may differ more; that is in the "
    "interval of the ratio."
)
IN_TURNS = "In turns (`python -m bench run --pair`) such a machine resolves more."
COMMANDS_IN_TURNS = "Commands in turns (`python -m bench ab`) resolve more on such a machine."
MORE_STARTS = "More starts of the server (`python -m bench run --restarts`) make it narrower."
MORE_BLOCKS = (
    "More blocks of both sides (`python -m bench run --target 1% --max-seconds 3600`) make it narrower."
)


def note(a: Measurement, b: Measurement) -> str:
    """The sentence and its way out.

    Turns take place on one machine: not of servers over nodes, of unlike cards, or of starts of a server.
    """
    return f"{SEEN} {_way_out(a, b)}"


def _way_out(a: Measurement, b: Measurement) -> str:
    sides = (a, b)
    if any(side.figures.served and side.figures.served.restarts for side in sides):
        return MORE_STARTS
    if any(side.machine.nodes for side in sides) or card(a) != card(b):
        return MORE_BLOCKS
    return IN_TURNS if all(isinstance(side, Record) for side in sides) else COMMANDS_IN_TURNS
