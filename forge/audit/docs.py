"""Writes ``docs/checks.md`` from the rules: ``python -m forge.audit.docs > docs/checks.md``."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING

from forge.audit.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Rule

_GROUPS = {
    "0": "Wheels that cannot be read",
    "1": "The wheel as a whole",
    "2": "Binaries",
    "3": "Paths of the build machine",
    "4": "The wheel in an app",
}

_HEAD = """\
# Checks

<!-- Made by `python -m forge.audit.docs` from forge/audit/rules.json: change that file, not this one. -->

`forge check WHEEL|DIR...` looks at wheels for iOS, however they were built, and says what installers, iOS and the App
Store will object to. It needs neither a Mac nor a network. A wheel is held to what its file name promises; one that is
not for iOS is skipped, unless it holds code for iOS. Of a directory it also says which of iOS's three targets a version
lacks; of the wheels of several projects, which requirements none of them meets on iOS. A library of one project that
another loads counts as there. Where the code needs a later iOS than the tag says, the report names the lowest that it
runs on and what asks for it, which is the tag that would be right; `--json` has it for every wheel. `forge build` runs
the same checks on what it makes, against what the recipe promises.

An **error** breaks the installation, the import or the app; a **warning** does so in some uses; **info** is for your
information.

| option | meaning |
| --- | --- |
| `--json` | print JSON as [schemas/check.schema.json](../schemas/check.schema.json) has it |
| `--explain ID` | print all about one rule, and check nothing |
| `--select IDS`, `--ignore IDS` | only these rules, or all but these: ids, starts of ids (`IOS2`) or names, by commas |
| `--libraries` | also list the libraries that each wheel loads, and which files load them |
| `--provided NAME` | a framework that the app brings itself, e.g. `SDL3`, an install name, or a pattern such as `Qt*` |
| `--against WHEEL`, `--against DIR` | compare with another builder's wheel for the same Python and target |
| `--fail-on warning` | exit with 9 for warnings too, not for errors alone |

What is allowed is data in `forge/audit/data`: libraries and frameworks of iOS with the version that each appeared in,
symbols for which the App Store rejected apps, CPython's stable ABI, limits. Which symbols iOS's libraries have, and
since which version, is what `forge/toolchain/data/symbols` says, from the availability annotations of Apple's headers.
Of frameworks' names it is Apple's declarations as other projects' bindings have them; of libobjc, libresolv and
Accelerate, whose lists are not whole, no name is missed. Ids never change their meaning.
"""


def render() -> str:
    """The page, in Markdown; ends in a line break."""
    lines = [_HEAD]
    for digit, group in itertools.groupby(all_rules(), key=lambda rule: rule.id[3]):
        lines.append(f"## {_GROUPS[digit]}\n")
        for rule in group:
            lines.extend(_section(rule))
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id} {rule.name}\n"
    yield f"{rule.what} *({rule.severity})*\n"
    yield f"**Why:** {rule.why}\n"
    yield f"**Fix:** {rule.mend}\n"
    if rule.references:
        yield f"**See:** {'; '.join(map(_linked, rule.references))}\n"


def _linked(reference: str) -> str:
    return f"<{reference}>" if reference.startswith("https://") else reference


if __name__ == "__main__":
    sys.stdout.write(render())
