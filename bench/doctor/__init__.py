"""Checks of what this machine can measure, and how well: one finding per line, nothing changed.

    report = examine(gpus=None, models=None, results=Path("results"))      # bench.doctor.examine
    for finding in report.findings:
        print(finding.state, finding.name, finding.meaning, finding.command)
    report.exit_status      # 2 where something that a run needs is broken, else 0

`examine` asks all of them: `drivers` looks at the cards' drivers, `cards` at each card (`gpu_samples` finds
the counter's tick), `host` at CPU, RAPL and disks, `software` at packages and catalogue (`probes` asks
PyTorch and CodeCarbon in processes of their own), `hub` at where models come from; `verdict` draws the sum.
"""
