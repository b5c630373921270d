r"""Write ``docs/survey.md``: what ``forge check`` says of the iOS wheels that other people publish.

    python tools/survey.py DIRECTORY... > docs/survey.md

The directories hold the wheels, one for each Python version:

    pip download --no-deps --only-binary=:all: --implementation cp --python-version 3.13 \
        --platform ios_13_0_arm64_iphoneos -d DIRECTORY PROJECT...

What a finding means is in ``tools/survey_notes.yaml``: an error or warning that nobody wrote a note on is reported on
standard error, and the exit code is 1.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from forge.audit.check import check_paths
from forge.base.severity import Severity
from forge.frameworks.make import make_frameworks
from forge.frameworks.options import Options
from forge.macho.checkout import layout_problem
from forge.macho.formats import looks_like_macho
from forge.macho.layout import read_layout
from forge.wheel.contents import read_wheel
from forge.wheel.name import parse_wheel_name
from forge.wheel.repair import repair_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding

NOTES = Path(__file__).parent / "survey_notes.yaml"

HEAD = """\
# Survey

<!-- Made by `python tools/survey.py DIRECTORY...`; notes are in tools/survey_notes.yaml. -->

What [`forge check`](checks.md) says of iOS wheels that other people publish: the newest of each project when the survey
was made, for Python 3.13 and 3.14, for every target that the index has, and Pillow 11.3.0. Every finding was looked at,
and compared with what LLVM's `nm`, `objdump` and `otool` say of each binary: debug map, install name, libraries,
rpaths, initialisers, signature, libffi's symbols. Counts are of wheels.
"""


@dataclass
class Row:
    """What was found of one version of a project."""

    wheels: Counter[str] = field(default_factory=Counter)
    """Wheels by Python and target, e.g. ``cp313 arm64-iphoneos``."""
    skipped: int = 0
    findings: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    """By rule; one of each wheel."""


def collect(directories: list[Path]) -> dict[tuple[str, str], Row]:
    """Check every wheel; by project and version."""
    rows: dict[tuple[str, str], Row] = defaultdict(Row)
    for directory in directories:
        report = check_paths([directory])
        for wheel in report.wheels:
            name = parse_wheel_name(wheel.path.name)
            row = rows[name.canonical_distribution, str(name.version)]
            if wheel.target is None:
                row.skipped += 1
                continue
            row.wheels[f"{'.'.join(name.pythons)} {wheel.target.multiarch}"] += 1
            for rule in dict.fromkeys(finding.name for finding in wheel.findings):
                row.findings[rule].append(next(f for f in wheel.findings if f.name == rule))
        for finding in report.together:
            if finding.name != "missing-target":
                continue  # a survey is not an app: what wheels require need not be in it
            project, version, _ = finding.message.split(" ", 2)
            rows[project, version].findings[finding.name].append(finding)
    return rows


def signable(directories: list[Path]) -> tuple[int, int, int]:
    """Repair every wheel and make frameworks of it; how many binaries there are, and how many Apple's tools refuse.

    Returns:
        Binaries, those refused after the repair, and wheels that frameworks are made of.
    """
    binaries = refused = framed = 0
    with tempfile.TemporaryDirectory() as temporary:
        for wheel in sorted(path for directory in directories for path in directory.glob("*ios*.whl")):
            repaired = repair_wheel(wheel, Path(temporary) / "repaired").output
            if repaired is None:
                continue
            for _, data in read_wheel(repaired).read_all():
                if looks_like_macho(data[:8]):
                    binaries += 1
                    refused += layout_problem(read_layout(data)[1][0]) is not None
            # The layout is a step of the verification: a tree with a binary that cannot be signed is not written.
            made = make_frameworks([repaired], Path(temporary) / "frameworks" / wheel.stem, Options())
            framed += made.directory is not None
    return binaries, refused, framed


def notes() -> dict[tuple[str, str], str]:
    """The notes, by project (or ``*``) and rule."""
    return {(row["project"], row["rule"]): row["note"].strip() for row in yaml.safe_load(NOTES.read_text("utf-8"))}


def render(
    rows: dict[tuple[str, str], Row], known: dict[tuple[str, str], str], signing: tuple[int, int, int]
) -> Iterator[str]:
    """The page's lines."""
    yield HEAD
    count = sum(row.wheels.total() for row in rows.values())
    yield f"{count} wheels of {sum(bool(row.wheels) for row in rows.values())} versions were checked.\n"
    binaries, refused, framed = signing
    yield (
        f"Each was repaired by `forge repair`: of {binaries} binaries, {refused} have a layout that Apple's tools "
        f"refuse to sign. `forge frameworks` makes frameworks of {framed} of the {count} repaired wheels.\n"
    )
    yield "| project | version | wheels | finding | in | e.g. | what it means |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for (project, version), row in sorted(rows.items()):
        head = f"| {project} | {version} | {_wheels(row)} "
        if not row.wheels:
            yield f"{head}| not checked | | | This version has a pure wheel (`py3-none-any`) and none for iOS. |"
            continue
        if not row.findings:
            yield f"{head}| none | | | |"
        for rule, findings in sorted(row.findings.items(), key=lambda item: (item[1][0].severity.rank, item[0])):
            worst = findings[0]
            note = known.get((project, rule)) or known.get(("*", rule)) or ""
            yield (
                f"{head}| {worst.severity} {worst.id} {rule} | {len(findings)} | "
                f"{f'`{worst.member}` ' if worst.member else ''}{worst.message} | {note} |"
            )
            head = "| | | "


def missing(rows: dict[tuple[str, str], Row], known: dict[tuple[str, str], str]) -> list[str]:
    """The errors and warnings that nobody wrote a note on."""
    return [
        f"{project} {version}: {rule}: {findings[0].message}"
        for (project, version), row in sorted(rows.items())
        for rule, findings in row.findings.items()
        if findings[0].severity is not Severity.INFO and not known.keys() & {(project, rule), ("*", rule)}
    ]


def _wheels(row: Row) -> str:
    pythons: dict[str, list[str]] = defaultdict(list)
    for key in sorted(row.wheels):
        python, target = key.split(" ")
        pythons[target].append(python)
    return "<br>".join(f"{target}: {', '.join(found)}" for target, found in pythons.items())


def main() -> int:
    """Check the directories named on the command line and print the page."""
    directories = [Path(argument) for argument in sys.argv[1:]]
    rows, known = collect(directories), notes()
    sys.stdout.write("\n".join(render(rows, known, signable(directories))) + "\n")
    unseen = missing(rows, known)
    for line in unseen:
        sys.stderr.write(f"no note: {line}\n")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
