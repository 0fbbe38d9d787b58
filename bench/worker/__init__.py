"""Worker process with a model, and producers elsewhere: they make a case's output.

    producer.py        the contract: load, produce(request), check, unload
    producers/         one file a producer, found and not listed; `worker.py` is the local one
    process.py         the parent's side of a worker process; `start.py` and `main.py` are the child's
    messages.py        plain frozen values between the two

The parent has recorder, clock and record: a worker that dies loses no reading.
"""
