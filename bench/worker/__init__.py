"""Worker process with a model, and producers elsewhere: they make a case's output.

    producer.py        the contract: load, produce(request), check, unload
    producers/         one file a producer, found and not listed; `worker.py` is the local one
    serving/           server, client, loads and windows of the producer `endpoint`
    process.py         the parent's side of a worker process
    replicas.py        copies of a model in several workers; `at_once.py` asks all of them
    deadline.py        limits of a request, for workers that never answer
    start.py           the program that becomes a worker; `main.py` answers in it
    messages.py        plain frozen values between the two
    engine_spec.py     a catalogue's case as an engine's spec
    engine_notes.py    warnings of the engines, passed on while a model loads
    dealiasing.py      rests that shift the work against a part-time sensor
    checkouts.py       other checkouts of this project, whose code a worker may run

The parent has recorder, clock and record: a worker that dies loses no reading.
"""
