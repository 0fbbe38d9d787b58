"""Many records: an index, so that choosing among 100,000 takes a second. `store` says what it is."""

from bench.compare.index.keeping import Tell
from bench.compare.index.store import Index, open_index

__all__ = ["Index", "Tell", "open_index"]
