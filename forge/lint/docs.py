"""Writes ``docs/lint.md`` from the rules: ``python -m forge.lint.docs > docs/lint.md``."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING

from forge.lint.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.lint.model import Rule

_GROUPS = {
    "0": "Recipes that cannot be used as they are",
    "1": "Layout",
    "2": "About the package",
    "3": "Source and patches",
    "4": "Build and requirements",
    "5": "Wheel",
    "6": "Tests",
}

_HEAD = """\
# Lint

<!-- Made by `python -m forge.lint.docs` from forge/lint/rules.json: change that file, not this one. -->

`forge lint [NAME...]` says what is wrong with recipes, and what could be better, each at its line. Without a name it
looks at all recipes. It builds nothing, and needs no network unless `--network` asks for the rules that do.

An **error** fails the build; a **warning** is worth a change or a reason; **info** is for your information.

| option | meaning |
| --- | --- |
| `--fix` | fix what can be fixed without you; comments stay, and each recipe is read again before it is written |
| `--network` | also run the rules that ask the package index or download the source |
| `--json` | print JSON as [schemas/lint.schema.json](../schemas/lint.schema.json) has it |
| `--format sarif`, `--format github` | print SARIF 2.1.0, or annotations for GitHub's workflow log |
| `--explain ID` | print all about one rule (`all`: every rule), and check nothing |
| `--select IDS`, `--ignore IDS` | only these rules, or all but these: ids, starts of ids (`REC2`) or names, by commas |
| `--fail-on error` | exit with 3 for errors only; by default for warnings too |

What is right in one recipe can be said there, with the reason:

```yaml
source:
  patches:
    # forge: ignore[REC305] the file says it all
    - patches/0001-ios.patch
```

Such a comment is about its line, or if it has a line of its own, about what comes next, with everything below that;
above the first key, about the whole file. Several ids are separated by commas. A recipe that cannot be used at all is
an error whatever its comments say. Ids never change their meaning.
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
    notes = [str(rule.severity)]
    notes += ["`--network`"] if rule.network else []
    notes += ["`--fix`"] if rule.fixable else []
    yield f"### {rule.id} {rule.name}\n"
    yield f"{rule.what} *({', '.join(notes)})*\n"
    yield f"**Why:** {rule.why}\n"
    yield f"**Fix:** {rule.mend}\n"
    if rule.references:
        yield f"**See:** {'; '.join(f'<{reference}>' for reference in rule.references)}\n"


if __name__ == "__main__":
    sys.stdout.write(render())
