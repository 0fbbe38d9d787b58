"""Caveats of every comparison of a person with a model: the end of every view, in a short one `BRIEFLY`."""

from __future__ import annotations

LEFT_OUT = (
    "Displacement: a person who does not do the work lives on and emits as before; only equipment and "
    "workplace figures are what the work itself adds.",
    "Rebound: what becomes cheap is made more often; a figure per page, image or second does not include "
    "how many.",
    "Quality: a page is 250 words, an image one image, a second of sound or film one second, good or bad; "
    "tries, editing and review are not in it.",
    "Whose hours: top-down figures charge an hour of an average resident's whole life to an hour of work, "
    "work-hours figures four; no side is charged for the lives of those who built, train and run the model.",
)
"""One sentence each, for people."""

BRIEFLY = "Left out: displacement, rebound, quality, and whose hours."
"""The same in one line, where the rest is behind an option."""

FOOTPRINTS_LEAVE_OUT = (
    *LEFT_OUT,
    "Training: no share of it is in a record's footprint, its life cycle included; that is operation and the "
    "making of the device alone.",
)
"""The same for what follows from a record."""

SCENARIOS_LEAVE_OUT = (
    *LEFT_OUT[:2],
    "Quality: a page is 250 words and an image one image, good or bad; what an accepted draft is worth is "
    "not in it.",
    LEFT_OUT[3],
)
"""The same for scenarios, which may count tries, editing and review."""

COSTS_LEAVE_OUT = (
    "Electricity is one part of a price: cards, buildings, people and profit are the rest, and a service may "
    "charge less than it costs.",
    "A list price belongs to one system; electricity is for scale, not as that system's cost.",
    "A record's joules include reading the prompt and writing the output; list prices charge the two apart.",
)
"""Limits of a price of electricity."""

PROJECTIONS_LEAVE_OUT = (
    "One case represents a whole deployment: real deployments mix models, lengths, batches and cards.",
    "A volume counts what is read and what is written; where the joules are those of written tokens alone, "
    "reading is counted as dear as writing.",
    "Training, making the machines, networks and users' own devices are not in it.",
    "Rebound: a volume of today does not include what a cheaper token would be used for.",
)
"""Limits of a projection."""
