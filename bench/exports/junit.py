"""Comparison as JUnit for a CI system: verdicts of `bench compare`, one test per case and metric."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from bench.compare.accepted import Accepted, accepting
from bench.compare.cards_apart import comparison_labels
from bench.compare.comparison import Comparison, ComparisonResult, MetricRow

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(result: ComparisonResult, entries: Sequence[Accepted] = ()) -> bytes:
    """A test a case and metric. Failure: worse; error: invalid; skipped: unclear, unlike, one-sided.

    What is worse and was accepted passes, with its reason in the test's output.
    """
    suite = ElementTree.Element(
        "testsuite", name=_xml(f"joulebench: {result.b.label} against {result.a.label}")
    )
    for comparison, label in zip(result.comparisons, comparison_labels(result.comparisons), strict=True):
        if not comparison.rows:
            test = _test(suite, label, "identity")
            tag = "error" if comparison.verdict == "invalid" else "skipped"
            ElementTree.SubElement(test, tag, message=_xml("; ".join(_why(comparison))))
        for row in comparison.rows:
            if row.verdict is None:
                continue
            test = _test(suite, label, row.metric.name)
            tags = {"worse": "failure", "unclear": "skipped"}
            if entry := accepting(comparison, row, entries):
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


def _test(suite: ElementTree.Element, case: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=_xml(case), name=_xml(name))


def _xml(text: str) -> str:
    """Replace characters that XML does not allow, or that steer a terminal."""
    return NOT_IN_XML.sub("\ufffd", text)


def _change_cells(row: MetricRow) -> tuple[str, str]:
    ratio = row.ratio
    if ratio is None:
        return "—", "—"
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value - 1:+.1%}", "—"
    return f"{ratio.value - 1:+.1%}", f"{ratio.low - 1:+.1%} to {ratio.high - 1:+.1%}"


def _change(row: MetricRow) -> str:
    change, interval = _change_cells(row)
    return f"{change} ({interval}), floor {row.floor.value:.1%}"


def _why(comparison: Comparison) -> list[str]:
    return [*(difference.sentence for difference in comparison.differences), *comparison.reasons]
