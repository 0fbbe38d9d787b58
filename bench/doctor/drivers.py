"""The drivers of cards: whether each answers, with which version, and which of its cards the work may see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench.doctor.findings import Finding, findings_of
from bench.errors import BenchError
from bench.machine.placement import hidden_cards, place
from bench.meters.gpus import GpuDriver, GpuDrivers

PCI_DEVICES = Path("/sys/bus/pci/devices")
VISIBLE = "visible cards"


def findings(drivers: GpuDrivers, container: bool) -> Iterator[Finding]:
    """All about the drivers. One without a card is left out where another vendor's cards are found."""
    for driver in drivers.opened:
        if driver.absent and drivers.gpus and not (driver.lost or _on_the_bus(driver.facts.pci_vendor)):
            continue
        vendor = driver.facts.vendor
        yield from findings_of(vendor, "driver", partial(answering, driver, container))
        yield from findings_of(vendor, VISIBLE, partial(visibility, drivers, driver))


def answering(driver: GpuDriver, container: bool) -> Iterator[Finding]:
    """Whether there is a driver to ask, and which; cards that do not answer at all."""
    facts = driver.facts
    if driver.absent and not driver.lost:
        yield _no_driver(driver, driver.absent, container)
        return
    found = driver.versions()
    version = found.driver or "of unknown version"
    if found.cuda_driver or "cuda_driver" in found.absent:
        version += f" (CUDA {found.cuda_driver or 'unknown'})"
    count = f"{len(driver.gpus)} card{'s' * (len(driver.gpus) != 1)}"
    text = f"Driver {version} answers through {facts.library}; {count}."
    yield Finding(facts.vendor, "driver", "ok", text)
    for index, reason in driver.lost.items():
        text = f"Card {index} does not answer: {reason}; it is left out."
        yield Finding(f"gpu {index}", "card", "missing", text, facts.commands.get("lost card"))


def _no_driver(driver: GpuDriver, reason: str, container: bool) -> Finding:
    facts = driver.facts
    text = f"No {facts.vendor} GPU can be metered: {reason}."
    if not _on_the_bus(facts.pci_vendor):
        text = f"{text} This machine shows no {facts.vendor} card either."
        return Finding(facts.vendor, "driver", "missing", text)
    command = facts.commands.get("driver in a container" if container else "driver")
    return Finding(facts.vendor, "driver", "missing", f"{text} But a card is plugged in.", command)


def _on_the_bus(pci_vendor: str | None) -> bool:
    for vendor in PCI_DEVICES.glob("*/vendor"):
        try:
            if vendor.read_text(encoding="utf-8", errors="replace").strip() == pci_vendor:
                return True
        except (OSError, ValueError):  # a device that was just unplugged
            continue
    return False


def visibility(drivers: GpuDrivers, driver: GpuDriver) -> Iterator[Finding]:
    """Cards that the driver's variable, such as CUDA_VISIBLE_DEVICES, leaves to the work."""
    variable, vendor = driver.facts.visible_by, driver.facts.vendor
    setting = os.environ.get(variable) if variable else None
    if not driver.gpus or setting is None:
        return
    try:
        placement = place(drivers, None, "auto")
    except BenchError as error:
        named = any(beginning in setting.upper() for beginning in driver.facts.uncounted)
        command = f"unset {variable}" if named else None
        yield Finding(vendor, VISIBLE, "missing", str(error), command)
        return
    if placement.device == "cpu":
        text = f"The work would run on the CPU, because {hidden_cards(drivers)}."
        yield Finding(vendor, VISIBLE, "warn", text, f"unset {variable}")
    else:
        text = f"{variable}={setting} decides which cards the work sees; gpu "
        text += f"{placement.visible[0].index} comes first."
        text += f" {hidden}." if (hidden := hidden_cards(drivers)) else ""
        yield Finding(vendor, VISIBLE, "info", text)
