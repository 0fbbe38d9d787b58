"""The measuring procedure: what is measured, when, and when it is enough.

    session.run(planned, settings, watcher)     # a whole run: cases, records, exit status
      procedure.measure(...)                    # one case: load, warm up, idle, blocks, idle
        worker.main(...)                        # its child process: the model, and nothing else
    energy.Meter(...)                           # the same windows around a program's own work

The parent holds recorder, clock and record; the child holds the model. A child that dies loses no reading.
"""
