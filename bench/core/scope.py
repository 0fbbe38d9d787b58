"""Scopes of a figure, each of which contains the one before it.

    contains("host", "gpu")      # True: adding both would count the cards twice

`gpu` is the cards; `host` the cards, CPU and memory; `wall` everything behind a socket; `facility` that times
the data centre's overhead (PUE); `lifecycle` also the making of machines.
"""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal["gpu", "host", "wall", "facility", "lifecycle"]

MeteredScope = Literal["gpu", "host", "wall"]
"""Scopes that an energy source can read. The others follow from these by factors."""

NESTED: tuple[Scope, ...] = get_args(Scope)
"""Scopes from the innermost to the outermost."""

METERED: tuple[MeteredScope, ...] = get_args(MeteredScope)


def contains(outer: Scope, inner: Scope) -> bool:
    """Whether the joules of `inner` are part of those of `outer`; a scope contains itself."""
    return NESTED.index(outer) >= NESTED.index(inner)
