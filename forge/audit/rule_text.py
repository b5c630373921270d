"""Rules as plain text: what reports and ``--explain`` say of them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forge.audit.rule_book import AnyRule

_WIDTH = 110


def paragraph(label: str, text: str) -> list[str]:
    """A text under a label, wrapped; the lines."""
    # A path or an address stays whole, so that it can be copied.
    return textwrap.wrap(
        text, _WIDTH, initial_indent=f"  {label + ':':<6}", subsequent_indent=" " * 8,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def explain_rule(rule: AnyRule, *notes: str) -> str:
    """Everything that is to be said about a rule, as plain text that ends in a line break.

    Args:
        rule: The rule.
        notes: What stands behind its name, besides its severity.
    """
    lines = [f"{rule.id} {rule.name} ({', '.join([str(rule.severity), *notes])})"]
    lines += [*paragraph("what", rule.what), *paragraph("why", rule.why), *paragraph("fix", rule.mend)]
    for reference in rule.references:
        lines += paragraph("see", reference)
    return "\n".join(lines) + "\n"
