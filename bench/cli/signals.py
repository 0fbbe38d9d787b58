"""Ctrl-C, a CI runner that cancels and a terminal that closes: one way to end, once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_like_ctrl_c() -> None:
    """Let each signal raise KeyboardInterrupt, unless the starting program (nohup) had it ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(_signal: int, _frame: Any) -> None:
    """Once is enough: what follows is not interrupted again."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def each_calls(handle: Callable[[int], object]) -> Iterator[None]:
    """Inside, each signal calls `handle` with its number, unless the starting program had it ignored."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    heeded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    try:
        for number in heeded:
            signal.signal(number, lambda number, _frame: handle(number) and None)
        yield
    finally:
        for number in heeded:
            signal.signal(number, before[number])
