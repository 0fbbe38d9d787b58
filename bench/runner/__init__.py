"""What the measuring procedure (`bench.measurement`) is made of.

Workers and other producers of output, blocks and the rules that set them aside, warm-up and stopping, idle,
locks, calibration, the live view and the doctor. The parent holds recorder, clock and record; the worker
holds the model. A worker that dies loses no reading.
"""
