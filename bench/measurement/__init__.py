"""The measuring procedure: what is measured, when, and when it is enough.

    outcome = run(CasePlan(cases, gpus="0"), RunContext(results, listener))    # also in a process of its own
      with Instruments(results, note) as instruments:     # driver, locks, folder, recorder, calibrations
        session.Session(...)                              # one case after another
          procedure.measure_case(...)                     # load, warm up, idle, blocks, idle

    api.Meter(...)                                        # the same instruments around a program's own work

A plan is what is to be measured, as plain data; a context has where results go, who listens, and when to
stop. The room is not called `measure`, because `bench.measure` is the function of the Energy API.
"""
