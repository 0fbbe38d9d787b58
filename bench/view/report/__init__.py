"""Records to pages, figures and tables for people. Reads records only: needs neither torch nor a GPU.

    report = build.report(sources, Settings(grid=choose(None)))
    Path("report.html").write_text(page.html(report))
    Path("report.md").write_text(markdown.markdown(report))

`report_data` has the records of a report, and `build` the order of its sections: `summary`, `people`,
`machines`, `latency`, `phase_shares`, `verdicts`, `scenarios`, `programs`, `cases` and `how_to_read`, each a
module. A case's details also have `traces` (thinned by `thinning`) and `outputs`; `figures` are the charts as
files.
Model, drawings and renderers are those of `bench.view`.
"""
