"""How long verbs take over many records. See `__main__`."""
