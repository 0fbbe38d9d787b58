"""A scenario as it is stated, before it is checked as a whole: entries by key, and where each is stated.

draft = find("critics").changed("model.prompts=3").changed("model.grid=FRA").changed("training=none")
scenario = build(draft)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from bench.core.near_names import nearest
from bench.errors import BenchError, UsageError
from bench.footprint import grid
from bench.footprint.drafts.accepted import AcceptedDrafts
from bench.footprint.measured import MeasuredRow
from bench.footprint.scenarios.distributions import KINDS, Z_95, Spread
from bench.footprint.scenarios.inputs import InputSpec, state
from bench.footprint.scenarios.model import PARAMETERS
from bench.footprint.scenarios.units import answer_of, unit_of

OPTIONAL = ("idle", "batch", "training", "embodied", "editing", "computer", "upbringing")
"""Parts that are counted whole or not at all."""

YOU = "stated by you"
OF_ITS_MACHINE = (
    "model.host",
    "model.grid",
    "model.pue",
    "batch.shared",
    "embodied.made",
    "embodied.utilisation",
)
"""Inputs that describe where the energy was taken, and that a record does not bring."""
WIDEST = 1e100
"""Standard deviation over mean, at most: the square of a much wider one overflows."""


class Deciding(NamedTuple):
    """Input that decides a scenario's outcome, and the ways to count it."""

    what: str
    choices: Mapping[str, tuple[str, ...]]
    """Changes in the form of `--set` by name, all to one part."""


class About(NamedTuple):
    """Description of a scenario, from its file."""

    name: str
    text: str
    unit: str
    leaves_out: tuple[str, ...]
    decides: Deciding | None = None


class Replaced(NamedTuple):
    """Energy that a record's energy replaced."""

    of: str
    """Owner of the energy."""
    keys: tuple[str, ...]
    """Inputs that are unchanged since they were stated for it."""
    training: bool
    """Whether training was stated, and went with it."""
    idle: bool
    """Whether the energy included idle hours of the machine."""
    device: str | None = None
    """Scope of the record's energy, where the stated device is of another one and was left out."""


@dataclass(frozen=True)
class ScenarioDraft:
    """Statements of a scenario."""

    about: About
    entries: Mapping[str, InputSpec]
    places: Mapping[str, str]
    """Place of each key, for messages."""
    energy_of: str | None = None
    """The catalogue's name of the model that its own energy and training are of."""
    of_energy: tuple[str, ...] = ()
    """The notes on what it leaves out that apply only to its own energy."""
    replaced: Replaced | None = None

    def changed(self, text: str) -> ScenarioDraft:
        """With one `KEY=VALUE` in its place; `none` takes a key, or a part that may be left out, away."""
        key, equals, value = text.partition("=")
        key, value, place = key.strip(), value.strip(), f"--set {text}"
        if not equals or not value:
            raise UsageError(f"{place}: expected KEY=VALUE, such as model.prompts=3.")
        if key not in PARAMETERS and not (key in OPTIONAL and value == "none"):
            raise UsageError(f"{place}: unknown input `{key}`.", nearest(key, PARAMETERS))
        if value == "none":
            return self.without(key)
        try:
            return self.stating(key, self._typed(key, value), place)
        except BenchError as error:
            raise UsageError(f"{place}: {error.message}", error.remedy) from error

    def without(self, key: str) -> ScenarioDraft:
        """Without a key, or without all keys of a part."""
        kept = {known: entry for known, entry in self.entries.items() if key not in (known, part_of(known))}
        return replace(self, entries=kept)

    def stating(self, key: str, entry: InputSpec, place: str) -> ScenarioDraft:
        """With this entry for a key."""
        replaced = self.replaced
        if replaced is not None:
            replaced = replaced._replace(keys=tuple(known for known in replaced.keys if known != key))
        entries, places = {**self.entries, key: entry}, {**self.places, key: place}
        return replace(self, entries=entries, places=places, replaced=replaced)

    def measured(self, row: MeasuredRow, place: str) -> ScenarioDraft:
        """With a record's joules per page or image; its interval becomes a normal or lognormal distribution.

        Its batch is used if the scenario counts batches, and a card's share of its power at the same scope
        where it counts the making of cards. What belonged to the replaced energy goes with it, or is named as
        another's.
        """
        made, record = self.about.unit, row.record
        if row.unit != made:
            raise UsageError(f"{place}: a record of {row.unit}s, and {self.about.name} is about {made}s.")
        source = f"record {record.label} ({row.kind}, {row.weights} weights; {row.interval})"
        energy = _energy(row, source)
        changed = (
            self._without_the_replaced(row).without("model.answers").stating("model.energy", energy, place)
        )
        changed = changed if row.scope == "gpu" else changed.without("model.host")
        if "batch.measured" in self.entries:
            batch = InputSpec(value=float(record.case.batch), unit="answers", source=source)
            changed = changed.stating("batch.measured", batch, place)
        return changed._with_device(row, source, place) if "embodied.power" in self.entries else changed

    def drafted(self, drafts: AcceptedDrafts, place: str) -> ScenarioDraft:
        """With the drafts counted until one was accepted; their interval becomes a lognormal one."""
        made, found = self.about.unit, drafts.attempts
        if drafts.unit != made:
            raise UsageError(f"{place}: drafts of {drafts.unit}s, and {self.about.name} is about {made}s.")
        if found is None:
            raise UsageError(
                f"{place}: none of {drafts.tried} drafts was accepted, so their number is not known.",
                "State one: --set model.prompts=LOW..HIGH.",
            )
        source = (
            f"{drafts.accepted} of {drafts.tried} drafts of {drafts.label} accepted by "
            f"{', '.join(drafts.accepted_by)}"
        )
        unit = f"prompts/{made}"
        entry = InputSpec(low=found.low, high=found.high, distribution="lognormal", unit=unit, source=source)
        return self.stating("model.prompts", entry, place)

    def _with_device(self, row: MeasuredRow, source: str, place: str) -> ScenarioDraft:
        """With a card's share of the record's power.

        Without `embodied` where the record has no card and the stated power is of another scope: energy of
        a host over the power of a card gives no time.
        """
        powers = row.record.figures.power_w
        power, cards = powers.get(row.scope), powers.get("gpu")
        if power is not None and power.gross is not None and cards:
            share = power.gross.value / len(cards.domains)
            each = InputSpec(value=share, unit="W", scope=row.scope, source=source)
            return self.stating("embodied.power", each, place)
        if state(self.entries["embodied.power"]).scope in (None, row.scope):
            return self
        kept = self.without("embodied")
        assert kept.replaced is not None  # a record's energy is in place already
        return replace(kept, replaced=kept.replaced._replace(device=row.scope))

    def _without_the_replaced(self, row: MeasuredRow) -> ScenarioDraft:
        """Without the training of another model and the notes on its energy; the rest is named as its."""
        same = row.record.case.model == self.energy_of
        changed = self if same else self.without("training")
        energy = self.entries.get("model.energy")
        replaced = Replaced(
            of=f"the scenario's own {self.energy_of}" if same else self.energy_of or "the replaced model",
            keys=tuple(key for key in OF_ITS_MACHINE if key in changed.entries),
            training=len(changed.entries) < len(self.entries),
            idle=energy is not None and state(energy).idle_inside,
        )
        here = f"Here its energy is that of a record, {row.label}, in place of {replaced.of}'s."
        kept = tuple(sentence for sentence in self.about.leaves_out if sentence not in self.of_energy)
        about = self.about._replace(text=f"{self.about.text} {here}", leaves_out=kept)
        return replace(changed, about=about, of_energy=(), replaced=replaced)

    def caveats(self) -> tuple[str, ...]:
        """Notes needed after a record replaced the scenario's own energy."""
        found = self.replaced
        if found is None:
            return ()
        said = []
        if found.training and "training.total" not in self.entries:
            said.append(
                f"Training: the scenario states that of {found.of}, which the record is not. All inputs of "
                "`training`, by --set, count it."
            )
        if found.idle and "idle.share" not in self.entries:
            said.append(
                "Idle hours of the machine: they are in the energy that the record replaces, "
                "and not in the record's. `--set idle.share=...` counts them."
            )
        if device := self.device_left_out():
            said.append(device)
        keys = [key for key in found.keys if key in self.entries]
        if keys:
            said.append(f"Stated for {found.of} and where it ran, not for the record: {', '.join(keys)}.")
        return tuple(said)

    def device_left_out(self) -> str | None:
        """Note on the making of the devices where a record's energy left it out; else `None`."""
        found = self.replaced
        if found is None or found.device is None or "embodied.made" in self.entries:
            return None
        return (
            f"Making of the devices is not counted: {self.about.name} states that of cards, and the record's "
            f"energy is of scope {found.device} without cards. All inputs of `embodied`, by --set, count it."
        )

    def _typed(self, key: str, text: str) -> InputSpec:
        """`3`, `3 prompts/page`, `1..5 uniform`, `9 J/page gpu`, an id, or for a grid what `--grid` takes."""
        first, *rest = text.split()
        kind = rest.pop() if rest and rest[-1] in KINDS else None
        low, span, high = first.partition("..")
        numbers = [_number(found) for found in ((low, high) if span else (low,))]
        if None not in numbers:
            ends = {"low": numbers[0], "high": numbers[1]} if span else {"value": numbers[0]}
            scope = rest.pop() if key == "model.energy" and len(rest) > 1 else None
            unit = " ".join(rest) or self._own_unit(key)
            stated = {"unit": unit, "distribution": kind, "source": YOU, "scope": scope}
            return InputSpec.model_validate(ends | stated)
        if key.endswith(".grid") and ("." not in text or text.endswith((".yaml", ".yml"))):
            found = grid.choose(text)
            return InputSpec(
                value=found.value, unit=found.unit, source=f"{found.id} {found.year}: {found.source}"
            )
        if rest:
            raise UsageError(f"`{text}` is neither a number with its unit nor the id of a bundled figure.")
        return InputSpec.model_validate({"value": first, "distribution": kind})

    def _own_unit(self, key: str) -> str:
        """The unit of a bare number, which is that of its key; of energy it could be any."""
        made, energy = self.about.unit, self.entries.get("model.energy")
        if key == "model.energy":
            raise UsageError("Energy needs its unit and scope.", f"Such as `400 J/{made} gpu`.")
        return unit_of(key, made, made if energy is None else answer_of(state(energy).unit, made))


def _energy(row: MeasuredRow, source: str) -> InputSpec:
    """Energy of a record: normal by its interval, or lognormal where a normal one would go below 0 J.

    Estimates are that wide: ±56 % of a processor. The lognormal one has the record's joules as its median
    and the same standard deviation over its mean.
    """
    stated = InputSpec(unit=f"J/{row.unit}", scope=row.scope, source=source)
    joules = row.joules
    if joules.range.is_point:
        return stated.model_copy(update={"value": joules.value})
    ends: dict[str, object] = {"low": joules.low, "high": joules.high, "distribution": "normal"}
    half = (joules.high - joules.low) / 2
    if Spread("normal", joules.value, joules.value - half, joules.value + half).reach[0] <= 0:
        relative = min(half / Z_95 / joules.value, WIDEST)
        factor = math.exp(Z_95 * math.sqrt(math.log1p(relative**2)))
        ends = {"low": joules.value / factor, "high": joules.value * factor, "distribution": "lognormal"}
    return stated.model_copy(update=ends)


def part_of(key: str) -> str:
    """`training` of `training.days`."""
    return key.partition(".")[0]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
