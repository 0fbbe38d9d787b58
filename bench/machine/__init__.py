"""This machine: where a case runs, what the machine is, and who else computes on it.

placement.py            which devices a case uses, and which cards are metered
provenance.py           hardware, software, command and clock, as a record keeps them
source_stamp.py         the commit of sources that travel without their `.git`
worker_environment.py   variables that every worker gets, and why
locks.py                one measurement at a time on a card and on the CPU
gpu_processes.py        other processes on the metered cards
cooling.py              waiting for an even temperature
"""
