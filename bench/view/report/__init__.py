"""Records to pages, figures and tables for people. Reads records only: needs neither torch nor a GPU.

    report = build.report(sources, Settings(grid=choose(None)))
    Path("report.html").write_text(page.html(report))
    Path("report.md").write_text(markdown.markdown(report))

`content` is the report, `gather` its records, `answers`, `people`, `machines`,
`shares`, `cases`, `scenarios`, `verdicts` and `reading` a section each, `charts` the drawings;
`page` and `markdown` render.
"""
