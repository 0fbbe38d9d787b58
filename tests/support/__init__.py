"""What tests and the tools in `scripts/` share, beside the stand-in NVML of `tests/standin`.

    factory     one record, block or case with plain defaults
    sample      simulated runs and pairs whose truth is known
    reported    records with everything that a report shows
    metering    meters without their processes
    processes   fresh interpreters, and waiting
    main_job    the real `bench run` with work of known watts, and how it is started
    calibrate   the real `bench calibrate` with a load of known watts

A tool imports nothing else of `tests`, and nothing here imports a test.
"""
