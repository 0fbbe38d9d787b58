"""The nouns that all rooms share: quantities, domains and scopes. Imports only `bench.errors`.

Domain.parse("cpu:package-0").scope      # "host"
contains("wall", "gpu")                  # True: their joules are never added
"""
