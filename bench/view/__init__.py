"""Results for people and programs: one model of what is shown, and four renderers of it.

    section = Section("Idle", (table(columns("domain", "#W"), [("cpu:package-0", 12.3)]),))
    click.echo(terminal.text([section]), nl=False)

`content` is the model (Section, Table, Chart, Panel), `numbers` how numbers are written; `terminal`, `page`
(HTML), `markdown` and `json_document` render, `charts` draws. The other modules turn typed results into
sections, one a subject, for the command line and the page alike; `report` makes all sections of a report.
"""
