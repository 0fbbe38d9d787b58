"""A comparison for a CI system: JUnit and a job summary. Both tell what `bench compare` tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from xml.etree import ElementTree

from bench.analysis import accepted
from bench.analysis.accepted import Accepted
from bench.analysis.compare import Comparison, Result, Row
from bench.analysis.metrics import HEADLINE

LARGEST_SUMMARY = 1_000_000
"""GitHub refuses a job summary of more than 1 MiB (1,048,576 bytes)."""
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
GRAVITY = ("worse", "invalid", "not comparable", "unclear", "better", "same")
"""The order of cases in a summary: what asks for attention first."""


def junit(result: Result, entries: Sequence[Accepted] = ()) -> bytes:
    """A test a case and metric. Failure: worse; error: invalid; skipped: unclear, unlike, one-sided.

    What is worse and was accepted passes, with its reason in the test's output.
    """
    suite = ElementTree.Element(
        "testsuite", name=_xml(f"joulebench: {result.b.label} against {result.a.label}")
    )
    for comparison in result.comparisons:
        if not comparison.rows:
            test = _test(suite, comparison.label, "identity")
            tag = "error" if comparison.verdict == "invalid" else "skipped"
            ElementTree.SubElement(test, tag, message=_xml("; ".join(_why(comparison))))
        for row in comparison.rows:
            if row.verdict is None:
                continue
            test = _test(suite, comparison.label, row.metric.name)
            tags = {"worse": "failure", "unclear": "skipped"}
            if entry := _accepted(comparison, row, entries):
                output = f"worse: {_change(row)}, accepted {entry.accepted}: {entry.reason}"
                ElementTree.SubElement(test, "system-out").text = _xml(output)
            elif row.verdict in tags:
                ElementTree.SubElement(
                    test, tags[row.verdict], message=_xml(f"{row.verdict}: {_change(row)}")
                )
    for found in (*result.only_a, *result.only_b):
        test = _test(suite, found.record.label, "identity")
        ElementTree.SubElement(test, "skipped", message=_xml(f"only in {found.where}"))
    for number, problem in enumerate(result.problems, start=1):
        ElementTree.SubElement(_test(suite, "files", f"unreadable {number}"), "error", message=_xml(problem))
    suite.set("tests", str(len(suite)))
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _accepted(comparison: Comparison, row: Row, entries: Sequence[Accepted]) -> Accepted | None:
    """The entry that lets a row pass that is worse."""
    if row.verdict != "worse" or row.ratio is None:
        return None
    return accepted.covering(entries, comparison.a.digest, row.metric.name, row.ratio.value)


def _test(suite: ElementTree.Element, case: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_xml(case), name=_xml(name))


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return NOT_IN_XML.sub("\ufffd", text)


def github_summary(result: Result, entries: Sequence[Accepted] = ()) -> bytes:
    """A table, the gravest first, and what is to be said beneath; cut before GitHub would refuse it."""
    ordered = sorted(result.comparisons, key=lambda comparison: GRAVITY.index(comparison.verdict))
    counts = [f"{n} {verdict}" for verdict in GRAVITY if (n := _count(result, verdict))]
    passed = sum(_passes(comparison, entries) for comparison in result.comparisons)
    counts += [f"{passed} of those worse accepted"] if passed else []
    head = [
        f"### Energy: {_markdown(result.b.label)} against {_markdown(result.a.label)}",
        "",
        ", ".join(counts) or "Nothing was compared.",
        "",
        "| case | metric | A | B | change | 95 % | verdict |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    body = [line for comparison in ordered for line in _summary_rows(comparison, entries)]
    body += ["", *(f"- {_markdown(sentence)}" for sentence in _remarks(result))]
    left = LARGEST_SUMMARY - sum(len(line.encode()) + 1 for line in head)
    sizes = list(accumulate(len(line.encode()) + 1 for line in body))
    fitting = sum(size <= left for size in sizes)
    lines = [*head, *body[:fitting]]
    if fitting < len(body):
        lines += ["", f"{len(body) - fitting} further lines are left out: the summary would be too long."]
    return ("\n".join(lines) + "\n").encode()


def _count(result: Result, verdict: str) -> int:
    return sum(comparison.verdict == verdict for comparison in result.comparisons)


def _passes(comparison: Comparison, entries: Sequence[Accepted]) -> bool:
    """Whether a case that is worse was accepted: its headline is."""
    row = comparison.row(HEADLINE.name) if comparison.rows else None
    return row is not None and _accepted(comparison, row, entries) is not None


def _summary_rows(comparison: Comparison, entries: Sequence[Accepted]) -> Iterator[str]:
    if not comparison.rows:
        why = "; ".join(_why(comparison))
        yield f"| {_markdown(comparison.label)} | | | | | | **{comparison.verdict}**: {_markdown(why)} |"
    unit = comparison.a.record.unit
    for row in comparison.rows:
        entry = _accepted(comparison, row, entries)
        strong = "**" if row.verdict in ("worse", "better") and entry is None else ""
        verdict = f"{strong}{row.verdict or ''}{strong}"
        if entry is not None:
            verdict += f", accepted {_markdown(entry.accepted)}: {_markdown(entry.reason)}"
        cells = [_markdown(comparison.label), _markdown(row.metric.title(unit)), _middle(row.a.median)]
        cells += [_middle(row.b.median), *_change_cells(row), verdict]
        yield f"| {' | '.join(cells)} |"


def _remarks(result: Result) -> Iterator[str]:
    yield from dict.fromkeys(note for comparison in result.comparisons for note in comparison.notes)
    for side, found in (("A", result.only_a), ("B", result.only_b)):
        for each in found:
            yield f"only in {side}: {each.record.label}"
    yield from result.notes
    yield from result.problems


def _middle(value: float | None) -> str:
    return "—" if value is None else f"{value:.4g}"


def _change_cells(row: Row) -> tuple[str, str]:
    ratio = row.ratio
    if ratio is None:
        return "—", "—"
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value - 1:+.1%}", "—"
    return f"{ratio.value - 1:+.1%}", f"{ratio.low - 1:+.1%} to {ratio.high - 1:+.1%}"


def _change(row: Row) -> str:
    change, interval = _change_cells(row)
    return f"{change} ({interval}), floor {row.floor.value:.1%}"


def _why(comparison: Comparison) -> list[str]:
    return [*(difference.sentence for difference in comparison.differences), *comparison.reasons]


def _markdown(text: str) -> str:
    """As it is: no table cell, tag, link or mention comes of it."""
    one_line = " ".join(text.split())
    return (
        re.sub(r"([\\`*_{}\[\]<>()#|@~!])", r"\\\1", one_line).replace("\\<", "&lt;").replace("\\>", "&gt;")
    )
