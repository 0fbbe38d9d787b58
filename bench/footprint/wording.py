"""What no comparison of a person with a model can leave unsaid. Every view ends with it."""

from __future__ import annotations

LEFT_OUT = (
    "Displacement: a person who does not write the page lives on and emits as before; only equipment and "
    "workplace figures are what the work itself adds.",
    "Rebound: what becomes cheap is made more often; a figure per page or image says nothing of how many.",
    "Quality: a page is 250 words and an image one image, good or bad; tries, editing and review are "
    "not in it.",
    "Whose hours: top-down figures charge an hour of an average resident's whole life to an hour of work, "
    "work-hours figures four; the lives of those who built, train and run the model are charged to nobody.",
)
"""One sentence each, for people."""
