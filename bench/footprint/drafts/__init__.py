"""Drafts until accepted: kept outputs of a record, checks of them, and what an accepted one takes.

drafts = kept(record, path)                       # outputs of blocks that count
verdicts, rejected = checked(drafts, [parse("length=200..300")])
account = accepted_drafts(record, drafts, verdicts, ["length=200..300"])      # attempts, joules
"""
