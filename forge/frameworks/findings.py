"""What can be wrong with a tree of frameworks; the rules are data (``rules.json``)."""

from __future__ import annotations

import functools
import json
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from forge.base.errors import WheelError
from forge.base.printable import printable
from forge.base.severity import Severity
from forge.wheel.app_rules import AppProblem, AppRule
from forge.wheel.claims import Clash, ClashKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class FrameworksError(WheelError):
    """The wheels given do not make a tree: one is missing, twice there, for another Python."""

    title = "frameworks"


@dataclass(frozen=True)
class Rule:
    """A row of ``rules.json``.

    Args:
        id: Stable for ever; the hundreds group: 1 wheels put together, 2 binaries, 3 the layout as re-read.
        name: In kebab case; stable too.
        severity: How bad it is.
        why: Why it is wrong anywhere.
        mend: What to do about it.
    """

    id: str
    name: str
    severity: Severity
    why: str
    mend: str


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Args:
        rule: What is wrong.
        place: The file, from the output's root, e.g. ``iphoneos/app_packages/x.dylib``; or a wheel.
        message: What is wrong here.
    """

    rule: Rule
    place: str
    message: str

    @property
    def is_error(self) -> bool:
        """Whether it keeps the output from being written."""
        return self.rule.severity is Severity.ERROR

    def __str__(self) -> str:
        return f"{self.rule.severity} {self.rule.id} {self.rule.name}: {self.place}: {self.message}"


@functools.cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its id."""
    rows = json.loads(resources.files(__package__).joinpath("rules.json").read_text(encoding="utf-8"))
    return {
        key: Rule(key, row["name"], Severity(row["severity"]), row["why"], row["mend"]) for key, row in rows.items()
    }


def finding(rule: str, place: str, message: str) -> Finding:
    """A finding under the rule with that id."""
    return Finding(rules()[rule], place, message)


_RULES = {
    AppRule.DOTTED_DIRECTORY: "FW201",
    AppRule.NAME: "FW201",
    AppRule.IDENTIFIER: "FW311",
    AppRule.NAME_CLASH: "FW202",
    AppRule.CODE: "FW203",
    AppRule.PROGRAM: "FW204",
    AppRule.STATIC: "FW106",
}
_CLASHES = {ClashKind.TAKEN: "FW101", ClashKind.SAME: "FW102", ClashKind.SIMILAR: "FW103"}


def app_finding(place: str, problem: AppProblem) -> Finding:
    """A finding about a file that an app cannot have."""
    return finding(_RULES[problem.rule], place, problem.text)


def clash_finding(directory: str, owner: str, clash: Clash) -> Finding:
    """A finding about a path that is not free.

    Args:
        directory: What findings call the directory that the path is in.
        owner: Who asked for it.
        clash: Why it is not free.
    """
    if clash.is_nested:
        said = f"of {owner}; {clash.other} is of {clash.owner}, and one of the two is a directory"
    elif clash.kind is ClashKind.SIMILAR:
        said = f"{clash.owner} has {clash.other}"
    elif clash.kind is ClashKind.SAME:
        said = f"of {clash.owner} and {owner}"
    else:
        said = f"of {clash.owner} and {owner}, which differ"
    return finding(_CLASHES[clash.kind], f"{directory}/{clash.path}", said)


def render_text(findings: Sequence[Finding]) -> str:
    """Findings as plain text, the worst first: a line each, why and what to do once for each rule.

    Returns:
        Text that ends in a line break; empty for no findings.
    """
    if not findings:
        return ""
    order = list(Severity)
    lines: list[str] = []
    explained: set[str] = set()
    for one in sorted(findings, key=lambda each: (order.index(each.rule.severity), each.rule.id, each.place)):
        lines.append(str(one))
        if one.rule.id not in explained:
            explained.add(one.rule.id)
            lines += [f"    why:  {one.rule.why}", f"    fix:  {one.rule.mend}"]
    counts = Counter(one.rule.severity for one in findings)
    said = (f"{counts[s]} {s}{'s' if counts[s] != 1 and s is not Severity.INFO else ''}" for s in Severity if counts[s])
    return "\n".join(map(printable, [*lines, ", ".join(said)])) + "\n"
