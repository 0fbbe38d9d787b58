"""`scripts/gpu-evidence`: a GPU machine's time turned into records, findings about its sensor, and a page."""
