"""A report as Markdown: a comment on a pull request, or a step's summary.

What is in it comes from a change that nobody has reviewed yet: names and logs are escaped, so that they neither format
the comment nor mention anybody, and the whole keeps to the length that GitHub takes.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from forge.audit.compare import DifferenceKind
from forge.base.printable import printable
from forge.base.severity import Severity
from forge.pipeline.report import State
from forge.pipeline.sizes import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.audit.compare import Difference
    from forge.pipeline.report import ChangeReport, Row
    from forge.pipeline.results import FailedNode

MARKER = "<!-- forge report -->"
"""What a comment begins with, so that the next run finds and replaces it."""

MOST_CHARACTERS = 65_000
"""GitHub refuses comments of more than 65,536 characters."""

_SIGNS = {State.BUILT: "built", State.CACHED: "cached", State.FAILED: "**failed**", State.SKIPPED: "skipped"}
_MOST_NAMES = 12
_MOST_CHARACTERS_OF_ERROR = 1500


def render_comment(report: ChangeReport, title: str = "Wheels of this change") -> str:
    """The comment's text.

    Args:
        report: What it tells.
        title: Its heading.
    """
    head = [MARKER, f"### {escaped(title)}", "", _summary(report), ""]
    parts = ["\n".join([*head, *_table(report.rows, compared=report.compared)])] if report.rows else ["\n".join(head)]
    parts += [_failure(failure) for failure in report.failures if not failure.is_skipped]
    parts += [text for row in report.rows if (text := _findings(row))]
    parts += [text for row in report.rows if (text := _differences(row))]
    return _joined(parts)


def escaped(text: str) -> str:
    """A text of anybody's as Markdown shows it letter by letter, in a line or a cell of a table."""
    safe = html.escape(printable(" ".join(text.split())), quote=False)
    safe = re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", safe)
    return safe.replace("@", "@&#8203;")  # no mention


def fenced(text: str) -> str:
    """A text of anybody's as a block of code."""
    lines = [printable(line) for line in text[:_MOST_CHARACTERS_OF_ERROR].splitlines()]
    longest = max((len(found) for line in lines for found in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def _joined(parts: Sequence[str]) -> str:
    """The parts as far as the length goes."""
    text, left = "", len(parts)
    for part in parts:
        if len(text) + len(part) > MOST_CHARACTERS:
            break
        text += f"{part}\n\n"
        left -= 1
    if left == len(parts):  # not even the table: its first lines
        text = parts[0][:MOST_CHARACTERS].rpartition("\n")[0] + "\n\n"
        left = max(1, left - 1)
    if left:
        text += "More is left out: GitHub takes no longer comments. The results have all of it.\n"
    return text.rstrip("\n") + "\n"


def _summary(report: ChangeReport) -> str:
    if not report.rows:
        return "This change makes no wheel differ."
    counts = {state: sum(row.state is state for row in report.rows) for state in State}
    words = {
        State.BUILT: "built",
        State.CACHED: "taken from the cache",
        State.FAILED: "failed",
        State.SKIPPED: "skipped",
    }
    said = [f"{counts[state]} {words[state]}" for state in State if counts[state]]
    tests = [test for row in report.rows for test in row.tests]
    if tests:
        bad = sum(not test.is_good for test in tests)
        said.append(f"tests of {len(tests)} run" + (f", {bad} of them failed" if bad else ", all passed"))
    return ", ".join(said) + "."


def _table(rows: Sequence[Row], *, compared: bool) -> list[str]:
    columns = ["package", "target", "Python", "", "check", "tests", "size", *(["published"] if compared else [])]
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        cells = [escaped(row.package), row.target, row.python, _state(row), _check(row), _tests(row), _size(row)]
        lines.append("| " + " | ".join([*cells, *([_change(row)] if compared else [])]) + " |")
    return lines


def _state(row: Row) -> str:
    took = f", {row.seconds / 60:.0f} min" if row.seconds is not None and row.seconds >= 60 else ""
    return f"{_SIGNS[row.state]}{took}"


def _check(row: Row) -> str:
    if row.findings is None:
        return ""
    errors = sum(finding.severity is Severity.ERROR for finding in row.findings)
    warnings = len(row.findings) - errors
    said = [f"**{_count(errors, 'error')}**"] * bool(errors) + [_count(warnings, "warning")] * bool(warnings)
    return ", ".join(said) or "ok"


def _tests(row: Row) -> str:
    said = []
    for test in row.tests:
        which = f"{test.python}: " if len(row.tests) > 1 and test.python else ""
        numbers = f"{test.passed} of {test.total}" if test.total else "none"
        if test.is_good and not test.passed:
            numbers = "skipped"
        said.append(f"{which}{numbers}" if test.is_good else f"{which}**{numbers}**")
    return ", ".join(said)


def _size(row: Row) -> str:
    return "" if row.size is None else size_text(row.size)


def _change(row: Row) -> str:
    if row.problem:
        return escaped(row.problem)
    if row.size is None:
        return ""
    if row.before is None:
        return "new"
    if row.before.is_same:
        return "the same file"
    percent = (row.size - row.before.size) / max(1, row.before.size) * 100
    return f"{percent:+.1f} % of {escaped(row.before.version)}"


def _failure(failure: FailedNode) -> str:
    lines = [f"#### {escaped(failure.subject)} failed", "", fenced(failure.first_error or failure.message)]
    if failure.first_error:
        lines += ["", escaped(failure.message.splitlines()[0] if failure.message else "")]
    if failure.hint:
        lines += ["", escaped(failure.hint)]
    return "\n".join(lines)


def _findings(row: Row) -> str:
    if not row.findings:
        return ""
    said = [
        f"- {finding.severity} {finding.id}: {escaped(finding.message)}"
        + (f" ({escaped(finding.member)})" if finding.member else "")
        for finding in row.findings[:_MOST_NAMES]
    ]
    more = len(row.findings) - len(said)
    said += [f"- and {more} more"] * bool(more)
    return _folded(f"Check of {row.filename}", "\n".join(said))


def _differences(row: Row) -> str:
    if row.before is None or not row.before.differences:
        return ""
    said = [_difference(each) for each in row.before.differences[:_MOST_NAMES]]
    more = len(row.before.differences) - len(said)
    said += [f"- and {more} more"] * bool(more)
    return _folded(f"{row.filename} against {row.before.version}, which is published", "\n".join(said))


def _difference(difference: Difference) -> str:
    what = "files" if difference.kind is DifferenceKind.FILES else f"{difference.kind} of {difference.member}"
    sides = [(verb, names) for verb, names in (("gone", difference.only_a), ("new", difference.only_b)) if names]
    return f"- {escaped(what)}: " + "; ".join(f"{verb}: {_listed(names)}" for verb, names in sides)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(escaped(name) for name in names[:_MOST_NAMES]) + more


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{html.escape(printable(title))}</summary>\n\n{body}\n\n</details>"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
