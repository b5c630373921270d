"""What ``forge test`` says: text for people, JSON for programs, JUnit XML for CI systems."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from forge.base.printable import printable_lines
from forge.emulate.runtime.accelerate import OPENBLAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forge.emulate.session import Outcome
    from forge.trial.comparison import Comparison

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""

HONEST = "executed on Linux with Darwin shims; not run on an iOS simulator or device"
"""What such a run is, in one line (docs/emulation.md)."""

HONEST_QEMU = "executed on Linux under qemu with Darwin shims; not run on an iOS simulator or device"
"""The same where qemu runs another CPU's code."""

_SHOWN = 20
_OUTCOMES = ("passed", "failed", "error", "crashed", "skipped", "xfailed", "xpassed")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (its production ``Char``), and a terminal should not get."""


@dataclass(frozen=True)
class Trial:
    """A wheel that was tried.

    Args:
        subject: What it is called, e.g. ``numpy 2.5.5 x86_64-iphonesimulator``.
        wheels: The files that the app was made of.
        outcome: What became of it.
        how: What the tests ran in, in one line.
        comparison: The same tests with the Linux wheel, where that was asked for.
        python: The version of Python, e.g. ``3.13``.
        sha256: Of the wheel.
        explained: Tests that are known to pass with the Linux wheel only, and why (``suite-results.yaml``).
    """

    subject: str
    wheels: tuple[str, ...]
    outcome: Outcome
    how: str = HONEST
    comparison: Comparison | None = None
    python: str = ""
    sha256: str = ""
    explained: frozenset[str] = frozenset()

    @property
    def is_good(self) -> bool:
        """Whether tests were run and nothing counts against the wheel.

        Where the Linux wheel was tried too, a test that fails with both does not count, nor does one that is explained.
        """
        compared = self.comparison
        if compared is None:
            return self.outcome.is_good
        if any(incident.test not in self.explained for incident in self.outcome.incidents):
            return False
        return compared.host_passed > 0 and all(
            one.id in self.explained for one in compared.differences if one.is_worse
        )


def counts(trial: Trial) -> dict[str, int]:
    """How many tests had each outcome; every outcome is there."""
    found = Counter(case.outcome for case in trial.outcome.cases)
    return {outcome: found[outcome] for outcome in _OUTCOMES}


def render_text(trial: Trial, *, bindings: bool = False) -> str:
    """A trial as plain text that ends in a line break.

    Args:
        trial: The trial.
        bindings: Whether to list what each symbol was bound to.
    """
    outcome = trial.outcome
    lines = [f"{trial.subject}, Python {trial.python}" if trial.python else trial.subject]
    modules = _modules(outcome.reports)
    if modules:
        lines.append(f"  {len(modules)} modules from Mach-O files: {_few(sorted(modules))}")
    bound = Counter(row["source"] for row in _bindings(outcome.reports))
    if bound:
        said = ", ".join(f"{count:,} {source}" for source, count in bound.most_common() if source != "trap")
        lines.append(f"  bound: {said}")
    if any(bound[source] for source in OPENBLAS):
        lines.append(
            "  Accelerate's BLAS and LAPACK are replaced by a Linux OpenBLAS: results and speed differ from Apple's"
        )
    called = {incident.record.get("symbol") for incident in outcome.incidents if incident.kind == "trap"}
    trapped = [row for row in _bindings(outcome.reports, "trap") if row["symbol"] not in called]
    wanting = sorted({f"{row['symbol']} of {row['library']}" for row in trapped})
    if wanting:
        lines.append(f"  not provided, but never called: {_few(wanting)}")
    if bindings:
        rows = {
            (r["image"].rpartition("/")[2], r["symbol"], r["source"], r["entry"]) for r in _bindings(outcome.reports)
        }
        lines += [
            f"    {image}: {symbol} -> {entry or 'null'} ({source})" for image, symbol, source, entry in sorted(rows)
        ]
    for incident in outcome.incidents:
        lines.append(f"  {incident.kind}: {incident.text}" + (f"  (in {incident.test})" if incident.test else ""))
    bad = [case for case in outcome.cases if case.is_bad]
    for case in bad[:_SHOWN]:
        lines.append(f"  {case.outcome} {case.id}")
        lines += [f"      {line}" for line in _plain(case.message).splitlines()[-3:]]
    if len(bad) > _SHOWN:
        lines.append(f"  … and {len(bad) - _SHOWN} more")
    said = ", ".join(f"{count:,} {name}" for name, count in counts(trial).items() if count) or "no tests were run"
    memory = f", peak memory {outcome.peak_bytes / 2**20:,.0f} MiB" if outcome.peak_bytes else ""
    lines.append(f"  {said} in {outcome.seconds:.1f} s{memory}")
    if trial.comparison is not None:
        lines += _compared(trial.comparison, trial.explained)
    lines.append(f"  {trial.how}")
    return printable_lines("\n".join(lines)) + "\n"  # names, symbols and messages are the wheel's


def _compared(comparison: Comparison, explained: frozenset[str]) -> Iterator[str]:
    skipped = f" and are not skipped here ({comparison.skipped_here:,} are skipped)" if comparison.skipped_here else ""
    yield (
        f"  compared with the Linux wheel: {comparison.both_passed:,} of the "
        f"{comparison.host_passed - comparison.skipped_here:,} "
        f"tests that pass with it{skipped} pass here ({comparison.ratio:.3%}); "
        f"its run took {comparison.host_seconds:.1f} s"
    )
    for one in comparison.differences[:_SHOWN]:
        yield f"    {one.emulated} (Linux wheel: {one.host}): {one.id}"
    if len(comparison.differences) > _SHOWN:
        yield f"    … and {len(comparison.differences) - _SHOWN:,} more"
    if known := sum(one.id in explained for one in comparison.differences):
        yield f"    explained in suite-results.yaml: {known:,} of these"


def to_json(trials: Sequence[Trial]) -> str:
    """Trials as JSON, as ``schemas/test.schema.json`` has it."""
    return json.dumps({"version": JSON_VERSION, "trials": [_row(trial) for trial in trials]}, indent=2) + "\n"


def to_junit(trials: Sequence[Trial]) -> str:
    """Trials as JUnit XML: a test suite each."""
    root = ET.Element("testsuites")
    for trial in trials:
        number = counts(trial)
        outside = [incident for incident in trial.outcome.incidents if incident.test is None]
        suite = ET.SubElement(
            root, "testsuite", name=trial.subject, tests=str(len(trial.outcome.cases) + len(outside)),
            failures=str(number["failed"]), errors=str(number["error"] + number["crashed"] + len(outside)),
            skipped=str(number["skipped"] + number["xfailed"]), time=f"{trial.outcome.seconds:.3f}",
        )  # fmt: skip
        for case in trial.outcome.cases:
            file, _, name = case.id.partition("::")
            element = ET.SubElement(
                suite, "testcase", classname=_plain(file), name=_plain(name or file), time=f"{case.seconds:.6f}"
            )
            tag = {
                "failed": "failure",
                "error": "error",
                "crashed": "error",
                "skipped": "skipped",
                "xfailed": "skipped",
            }
            if case.outcome in tag:
                child = ET.SubElement(element, tag[case.outcome], message=_plain(_last_line(case.message)))
                child.text = _plain(case.message)
        for incident in outside:
            element = ET.SubElement(suite, "testcase", classname="process", name=incident.kind, time="0")
            ET.SubElement(element, "error", message=_plain(incident.text))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _row(trial: Trial) -> dict[str, Any]:
    outcome = trial.outcome
    return {
        "subject": trial.subject,
        "python": trial.python,
        "how": trial.how,
        "wheels": list(trial.wheels),
        "good": trial.is_good,
        "counts": counts(trial),
        "seconds": round(outcome.seconds, 3),
        "peak_bytes": outcome.peak_bytes,
        "cases": [asdict(case) for case in outcome.cases],
        "incidents": [asdict(incident) for incident in outcome.incidents],
        "modules": dict(sorted(_modules(outcome.reports).items())),
        "bindings": sorted(_bindings(outcome.reports), key=lambda row: [str(value) for value in row.values()]),
        "comparison": None if trial.comparison is None else _comparison(trial.comparison),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "host_wheels": list(comparison.host_wheels),
        "host_passed": comparison.host_passed,
        "both_passed": comparison.both_passed,
        "skipped_here": comparison.skipped_here,
        "host_seconds": round(comparison.host_seconds, 3),
        "differences": [asdict(one) for one in comparison.differences],
    }


def _modules(reports: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {name: path for report in reports for name, path in report["modules"].items()}


def _bindings(reports: Sequence[Mapping[str, Any]], source: str | None = None) -> Iterator[dict[str, Any]]:
    """What the processes bound, each once."""
    seen: set[tuple[Any, ...]] = set()
    for report in reports:
        for row in report["bindings"]:
            key = (row["image"], row["library"], row["symbol"])
            if key not in seen and source in (None, row["source"]):
                seen.add(key)
                yield row


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
