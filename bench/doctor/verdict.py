"""The closing line: which scopes of figure this machine can give, and of which kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.core.domain import HOST_DEVICES, of_device
from bench.core.energy import FigureKind
from bench.doctor.drivers import VISIBLE
from bench.doctor.findings import Finding
from bench.doctor.gpu_samples import WatchedCard

VERDICT = "verdict"


def scopes(
    cards: Iterable[WatchedCard], moving: Sequence[str], estimates: bool, stuck: Sequence[str] = ()
) -> dict[str, FigureKind]:
    """Kind of figure by scope. `moving` are the domains beside the cards that count.

    `estimates`: whether CodeCarbon may fill gaps.

    `host` is cards, CPU and memory together: `measured` only where meters read all of it, absent where a zone
    is `stuck`, because a run reads it and has no number.
    """
    found: dict[str, FigureKind] = {}
    if any(card.metered for card in cards):
        found["gpu"] = "measured"
    if of_device(moving, "wall"):
        found["wall"] = "measured"
    cpu, dram = (bool(of_device(moving, device)) for device in HOST_DEVICES)
    if stuck:
        return found
    if cpu and dram:
        found["host"] = "measured"
    elif estimates:
        found["host"] = "mixed" if "gpu" in found or cpu or dram else "estimated"
    return found


def closing(found: dict[str, FigureKind], findings: Sequence[Finding]) -> Finding:
    """The sum of the findings, in one line."""
    broken = [finding.name for finding in findings if finding.broken]
    text = " ".join([_sentence(found), *_limits(found, findings)])
    if broken:
        text = f"No run can begin until this is mended: {', '.join(dict.fromkeys(broken))}. Then: {text}"
        return Finding(VERDICT, "scope", "missing", text)
    if not found:
        return Finding(VERDICT, "scope", "missing", text)
    if "measured" in found.values():
        return Finding(VERDICT, "scope", "ok", text)
    return Finding(VERDICT, "scope", "info" if found["host"] == "mixed" else "warn", text)


def _sentence(found: dict[str, FigureKind]) -> str:
    scopes = found.get("gpu"), found.get("host")
    if "wall" not in found:
        return _SENTENCES[scopes]
    both = f"{_SENTENCES[scopes]} What the socket delivers is measured as well, at scope wall."
    return _WALL_ALONE.get(scopes, both)


_SENTENCES: dict[tuple[FigureKind | None, FigureKind | None], str] = {
    ("measured", "measured"): "Figures of scope gpu and of scope host are measured.",
    (
        "measured",
        "mixed",
    ): "Figures of scope gpu are measured; of scope host mixed, because part is estimated.",
    ("measured", None): "Figures of scope gpu are measured; there are none of scope host.",
    (None, "measured"): "Figures of scope host are measured (RAPL); there are none of scope gpu.",
    (
        None,
        "mixed",
    ): "Figures of scope host are mixed, part metered and part estimated; there are none of scope gpu.",
    (
        None,
        "estimated",
    ): "Only estimates: figures of scope host come from CodeCarbon's model of CPU and memory.",
    (None, None): "Nothing can be measured or estimated here.",
}
_WALL_ALONE: dict[tuple[FigureKind | None, FigureKind | None], str] = {
    (None, "estimated"): (
        "What the socket delivers is measured, at scope wall. Figures of scope host are estimates, from "
        "CodeCarbon's model of CPU and memory."
    ),
    (None, None): "What the socket delivers is measured, at scope wall; nothing else can be, or estimated.",
}


def _limits(found: dict[str, FigureKind], findings: Sequence[Finding]) -> Iterable[str]:
    """Notes beside it."""
    on_cpu = any((it.name, it.state) in (("PyTorch", "warn"), (VISIBLE, "warn")) for it in findings)
    if "gpu" in found and on_cpu:
        yield "But at present the work itself runs on the CPU, and the cards are only watched."
