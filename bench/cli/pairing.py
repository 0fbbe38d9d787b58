"""`bench run --pair A B`: which two cases, or whose code, that is, and what came of them in words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from bench.catalog.cases import Overrides, Planned
from bench.catalog.models import Catalogue
from bench.catalog.sides import side
from bench.compare.identity import KERNEL_LIBRARIES
from bench.errors import PrerequisiteError, UsageError
from bench.machine.locks import Note
from bench.machine.placement import Placement
from bench.measurement.fitting import available_bytes, cards_of_pair, needed_bytes
from bench.measurement.paired import PairSide
from bench.worker.checkouts import Checkout, commit_of, is_checkout, opened, unknown_name


def of_checkouts(catalogue: Catalogue, names: Sequence[str], pair: tuple[str, str], note: Note) -> bool:
    """Whether `--pair` names two checkouts, not two cases. Raises UsageError where it names one of each.

    A model or suite of the catalogue is a case; else a folder, or a git revision, is a checkout.
    """
    if any(text.startswith("-") for text in pair):
        raise UsageError("--pair needs two sides, and only one was named.", "Such as: sdxl sdxl,batch=4.")
    cases = [text.partition(",")[0].strip() in {*catalogue.models, *catalogue.suites} for text in pair]
    checkouts = [not case and is_checkout(text) for case, text in zip(cases, pair, strict=True)]
    for text, case in zip(pair, cases, strict=True):
        if case and (os.path.isdir(os.path.join(text, "bench")) or commit_of(text)):
            note(f'"{text}" is taken as the case; the folder is ./{text}, the branch heads/{text}.')
    if all(checkouts):
        return True
    for text, case, checkout in zip(pair, cases, checkouts, strict=True):
        if not case and not checkout and ("/" in text or names or any(checkouts)):
            raise UsageError(
                unknown_name(text, "a model, a suite, a folder"),
                "See `python -m bench list` and `git branch`.",
            )
    if any(checkouts):
        named = pair[checkouts.index(True)]
        raise UsageError(
            f'--pair takes two cases or two checkouts; only "{named}" is a checkout.',
            "Name cases first: `python -m bench run MODEL --pair BASE HEAD`.",
        )
    return False


@contextmanager
def checkouts(pair: tuple[str, str], note: Note) -> Iterator[Mapping[PairSide, Checkout]]:
    """Both checkouts by side; warns if different libraries make their records not comparable."""
    with opened(pair) as (a, b):
        unlike = [name for name in KERNEL_LIBRARIES if a.libraries.get(name) != b.libraries.get(name)]
        if unlike:
            vary = " ".join(f"--vary libraries.{name}" for name in unlike)
            others = f"A and B have other versions of {', '.join(unlike)}"
            note(f"{others}: `python -m bench compare` will want {vary}.")
        yield {"A": a, "B": b}


def sides(
    catalogue: Catalogue,
    names: Sequence[str],
    pair: tuple[str, str],
    overrides: Overrides,
    placement: Placement,
) -> tuple[Planned, Planned]:
    """Both cases. Raises UsageError where they make no pair, PrerequisiteError where they do not both fit."""
    if names:
        raise UsageError(f'--pair names both cases, and "{names[0]}" is a third.', "Leave it out.")
    a, b = (side(catalogue, text, overrides) for text in pair)
    if a.case.model.unit != b.case.model.unit:
        one, other = (item.case.modality.plural for item in (a, b))
        made = f"{a.case.name} makes {one} and {b.case.name} {other}"
        raise UsageError(f"{made}, so they have no ratio.", "Name two models of one kind.")

    need = sum(item.case.replicas * needed_bytes(item.case) for item in (a, b))
    have = available_bytes(cards_of_pair(a.case, b.case, placement))
    if need > have:
        raise PrerequisiteError(
            f"Both sides of a pair are loaded at once: that takes {need / 1e9:.0f} GB, and there are "
            f"{have / 1e9:.0f} GB.",
            "Measure them one after the other.",
        )
    return a, b
