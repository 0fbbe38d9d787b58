"""Weights of a model: found on the hub, in the cache or in a folder, or made of random numbers."""
