"""Base of results that a notebook displays as a table.

    class Window(NotebookTable): ...        # as the last value of a cell: a table in place of its `repr`

A notebook asks the object itself for its HTML, and the object is defined in a lower room than the view. So
this is the one import of the view from below, made when something is displayed; the contract lists it.
"""

from __future__ import annotations


class NotebookTable:
    """A result that the view can draw; `_repr_html_` is the name that notebooks look for."""

    def _repr_html_(self) -> str:
        """The tables of its verb, as HTML without styles or scripts of their own."""
        from bench.view.notebook import html

        return html(self)
