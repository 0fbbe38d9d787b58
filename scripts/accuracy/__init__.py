"""How near the truth four meters come, on the same work, in the same windows, at the same time.

`scripts/bench-accuracy` is the command; `python -m scripts.accuracy --help` describes it. Nothing here
needs a GPU: every card is one of the stand-in's, whose true joules between two moments are known.

    waveforms   what the cards draw: pages, images, a constant, bursts
    cards       which card has which tick, sensor and waveform
    meters      the contestants behind one protocol: this project, zeus, CodeCarbon, a 1 s poll of power
    contest     one window of work on all cards at once, and what each contestant makes of it
    cells       errors by contestant, card and length; table, targets and picture show them
    waves       power around work that moves, with its exact energy; replay: that of recorded cards
    kept        figures of a run, part by part
    moving      errors on those waves, in simulated time, worst case first
    coverage    coverage of the 95 % interval, through the recorded samples
    overhead    what metering costs the work

Three more print tables of docs/validation.md and docs/uncertainty.md, each a program of its own:

    intervals   how often a record's intervals hold the truth
    stopping    what it costs to stop as soon as the interval is narrow
    duration    how long a typical case takes


The script's extra (zeus, charts) is asked for late, so that the everyday test needs none of it.
"""
