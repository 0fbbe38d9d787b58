"""Many records: an index, so that choosing among 100,000 takes a second. `store` says what it is."""

from bench.analysis.index.keeping import Tell
from bench.analysis.index.store import Index, open_index

__all__ = ["Index", "Tell", "open_index"]
