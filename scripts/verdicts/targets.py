"""What each part of the trials has to come to, and their table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scripts.verdicts.planted import UNLIKE
from scripts.verdicts.trials import Trial


@dataclass(frozen=True)
class Target:
    """Which trials of a part are right, and how many of twenty may be wrong."""

    part: str
    claim: str
    right: Callable[[Trial], bool]
    wrong_of_20: int = 0


def _found(trial: Trial) -> bool:
    return (trial.status, trial.verdict) == (1, "worse")


def _refused(trial: Trial) -> bool:
    key = UNLIKE[trial.what][1]
    return (trial.status, trial.verdict) == (3, "not comparable") and key in trial.keys and not trial.rows


TARGETS = (
    Target("real, apart", "equal work on this CPU: nothing better or worse", lambda trial: trial.equal, 1),
    Target("real, in turns", "the same, measured in turns", lambda trial: trial.equal, 1),
    Target(
        "equal", "equal work on a stand-in card passes --fail-on energy:5%", lambda trial: trial.status == 0
    ),
    Target("planted", "10 % more joules fail it: worse, status 1", _found),
    Target("unlike", "unlike cases: not comparable, key named, status 3", _refused),
)


@dataclass(frozen=True)
class Held:
    """A target against its trials."""

    target: Target
    n: int
    wrong: tuple[Trial, ...]

    @property
    def met(self) -> bool:
        """Whether wrong verdicts are within the number allowed per twenty, also for fewer than twenty."""
        allowed = self.target.wrong_of_20 * max(1, self.n // 20)
        return len(self.wrong) <= allowed


def held(trials: Sequence[Trial]) -> list[Held]:
    """Every target that there are trials of."""
    found = []
    for target in TARGETS:
        mine = [trial for trial in trials if trial.part == target.part]
        if mine:
            found.append(Held(target, len(mine), tuple(each for each in mine if not target.right(each))))
    return found


def lines(trials: Sequence[Trial], judged: Sequence[Held]) -> Iterator[str]:
    """Markdown: a row a part, and below it each wrong one."""
    yield "| what is compared | n | right | verdicts of the headline | B/A | met |"
    yield "|---|---|---|---|---|---|"
    for each in judged:
        mine = [trial for trial in trials if trial.part == each.target.part]
        verdicts = Counter(trial.verdict for trial in mine)
        ratios = [trial.ratio for trial in mine if trial.ratio is not None]
        span = f"{min(ratios):.3f} to {max(ratios):.3f}" if ratios else ""
        told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        met = "yes" if each.met else "NO"
        yield f"| {each.target.claim} | {each.n} | {each.n - len(each.wrong)} | {told} | {span} | {met} |"
    for each in judged:
        for trial in each.wrong:
            rows = ", ".join(f"{name} {verdict}" for name, verdict in trial.rows.items() if verdict)
            yield f"wrong: {trial.part}, {trial.what}: status {trial.status}, {trial.verdict} ({rows})"
