"""Records of one run or many, of one machine or many, as one package that a stranger can check offline.

    content = package.packed(stored, key)          # a zip: manifest.json, records, traces, logs
    opened = opening.open_package(Path("h100.zip"))    # its manifest; every file held against its digest
    package_check.check(opened)                        # what each record's samples say of its headline

The manifest only repeats what its files contain.
"""
