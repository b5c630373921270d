"""Findings where reviewers see them: as SARIF 2.1.0, and as annotations of GitHub's workflow log."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import forge
from forge.base.printable import printable
from forge.base.severity import Severity
from forge.lint.report import rules_of

if TYPE_CHECKING:
    from forge.lint.model import Finding, Rule
    from forge.lint.run import Report

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def to_sarif(report: Report) -> str:
    """Findings as SARIF 2.1.0 (OASIS), one run; what GitHub's code scanning reads."""
    rules = rules_of(report.findings)
    index = {rule.id: number for number, rule in enumerate(rules)}
    driver = {"name": "forge lint", "version": forge.__version__, "rules": [_sarif_rule(rule) for rule in rules]}
    data = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(found, index[found.rule.id]) for found in report.findings],
            }
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def to_github(report: Report) -> str:
    """Findings as workflow commands, a line each: ``::warning file=…,line=…::message``."""
    return "".join(f"{_command(found)}\n" for found in report.findings)


def _sarif_rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.mend},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _sarif_result(found: Finding, index: int) -> dict[str, Any]:
    where = found.where
    region = {"startLine": where.line, "startColumn": where.column, "endColumn": where.column + where.width}
    return {
        "ruleId": found.rule.id,
        "ruleIndex": index,
        "level": _LEVELS[found.severity],
        "message": {"text": _said(found)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(where.file)}, "region": region}}],
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _command(found: Finding) -> str:
    where = found.where
    properties = {
        "file": where.file,
        "line": str(where.line),
        "col": str(where.column),
        "endColumn": str(where.column + where.width),
        "title": f"{found.rule.id} {found.rule.name}",
    }
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[found.severity]} {said}::{_data(_said(found))}"


def _said(found: Finding) -> str:
    """A finding in one line that no terminal and no workflow takes for a command."""
    return printable(f"{found.message}; {found.hint}" if found.hint else found.message)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
