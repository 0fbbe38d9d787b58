"""Drafts until accepted: kept outputs of a record, checks of them, and what an accepted one takes.

drafts = kept(record, path)                       # outputs of blocks that count
checks = [parse("length=200..300"), parse("language=en")]
accepted = judged(record, drafts, checks)         # an AcceptedDrafts: attempts and joules with intervals
"""
