"""Index of records, so that choosing among 100,000 takes a second. `store` describes it."""

from bench.compare.index.keeping import Tell
from bench.compare.index.store import Index, open_index

__all__ = ["Index", "Tell", "open_index"]
