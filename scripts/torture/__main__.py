"""`scripts/bench-torture kill --trials 200 --seed 1`: long trials, and a table of what they lost.

`scripts/bench-torture all --scale 0.1` plays every part, each a tenth as long, and prints one table.
The exit status is 1 where a trial broke a promise of docs/reliability.md.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable

from bench.errors import BenchError
from scripts.torture import parts
from scripts.torture.acts import ACTS
from scripts.torture.parts import PartTally, summary
from scripts.torture.readers import READERS

LONGEST_S = 80.0
"""A whole run of the ten cases takes 67 s on an idle machine, and more beside others."""
AT_ONCE = 6
"""A trial waits for most of its time."""
EACH = ("faults", "kill", "disks", "fuzz", "busy", "long")
"""Every part, in the order of `all`."""
COUNTS, LENGTHS = ("trials", "inputs", "windows"), ("day_hours", "hours", "minutes")
"""What `--scale` makes less."""

Play = Callable[[argparse.Namespace], PartTally]


def main(arguments: list[str]) -> int:
    """Play what was asked for, then print the table."""
    # A shell starts what is in its background deaf to Ctrl-C, and so would be every run from here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = _parser()
    given = parser.parse_args(arguments)
    rows: list[PartTally] = []
    try:
        for part in _asked(parser, given):
            play: Play = part.play
            rows.append(play(part))
    except BenchError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_status
    print(summary(rows))
    return int(any(row.lost for row in rows))


def _asked(parser: argparse.ArgumentParser, given: argparse.Namespace) -> list[argparse.Namespace]:
    """Options of each part to play: that of the command line, or all with their usual ones, scaled."""
    if given.part != "all":
        return [given]
    each = [parser.parse_args([name]) for name in EACH]
    for part in each:
        options = vars(part)
        for name in options.keys() & {*COUNTS, *LENGTHS}:
            scaled = options[name] * given.scale
            options[name] = max(1, round(scaled)) if name in COUNTS else scaled
    return each


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench-torture")
    subs = parser.add_subparsers(required=True, dest="part")
    of_all = subs.add_parser("all", help="every part with its usual options, and one table")
    of_all.add_argument("--scale", type=float, default=1.0, help="share of the usual trials, 0.01 to 1")
    of_faults = subs.add_parser("faults", help="meters and processes that fail in every way")
    of_faults.add_argument(
        "--one-code", action="store_true", help="NVML's unknown error alone, not every code"
    )
    of_faults.set_defaults(play=parts.faults)
    of_kill = subs.add_parser("kill", help="kill, stop and interrupt runs at random moments")
    of_kill.add_argument("--trials", type=int, default=200)
    of_kill.add_argument("--seed", type=int, default=1)
    of_kill.add_argument("--at-once", type=int, default=AT_ONCE)
    of_kill.add_argument("--only", action="append", choices=list(ACTS), help="one act; repeatable")
    of_kill.add_argument("--longest-s", type=float, default=LONGEST_S, help="latest moment of an act")
    of_kill.set_defaults(play=parts.kill)
    of_long = subs.add_parser("long", help="hours and days: memory, handles, lag, true joules")
    of_long.add_argument("--day-hours", type=float, default=24.0, help="of eight cards' samples; 0: none")
    of_long.add_argument("--hours", type=float, default=8.0, help="simulated; 0: none")
    of_long.add_argument("--minutes", type=float, default=30.0, help="real; 0: none")
    of_long.set_defaults(play=parts.long)
    of_disks = subs.add_parser("disks", help="a disk that fails at every write of a run")
    of_disks.set_defaults(play=parts.disk)
    of_busy = subs.add_parser("busy", help="windows measured beside programs that never wait")
    of_busy.add_argument("--windows", type=int, default=66)
    of_busy.add_argument("--loops", type=int, default=8, help="programs beside it")
    of_busy.add_argument("--seed", type=int, default=1)
    of_busy.set_defaults(play=parts.busy)
    of_fuzz = subs.add_parser("fuzz", help="damaged files and answers through every reader")
    of_fuzz.add_argument("--inputs", type=int, default=100_000)
    of_fuzz.add_argument("--seed", type=int, default=1)
    of_fuzz.add_argument("--only", action="append", choices=list(READERS), help="one reader; repeatable")
    of_fuzz.add_argument(
        "--guided", action="store_true", help="keep inputs that reach new code (needs atheris)"
    )
    of_fuzz.add_argument("--seconds", type=int, default=120, help="of each reader, with --guided")
    of_fuzz.set_defaults(play=parts.fuzzing)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
