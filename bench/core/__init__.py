"""The nouns that all rooms share: quantities, domains and scopes, modalities, the record and its parts.

    Domain.parse("cpu:package-0").scope      # "host"
    block.joules("host").gross_j             # the one sum; None unless every domain has a reading
    record.headline()                        # gross joules per unit with a 95 % interval

Imports nothing of the package but `bench.errors`.
"""
