"""Comments that ignore findings: what they are about, and when they do not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.lint.conftest import CLEAN, SHA, changed, said

if TYPE_CHECKING:
    from tests.unit.lint.conftest import Lint

TWICE = "    - demo\n    - demo\n"
IGNORE = "# forge: ignore[REC105] both are meant"


@pytest.mark.parametrize(
    "imports",
    [
        f"  imports:\n    - demo\n    - demo  {IGNORE}\n",
        f"  imports:\n    - demo\n    {IGNORE}\n    - demo\n",
        f"  imports:\n    - demo\n    {IGNORE}\n    # and more\n\n    - demo\n",
        f"  {IGNORE}\n  imports:\n    - demo\n    - demo\n",
        f"  imports:  {IGNORE}\n    - demo\n    - demo\n",
        f"  imports:  {IGNORE}\n  - demo\n  - demo\n",
        "  imports: [demo, demo]  # forge: ignore[rec105, REC602] both are meant\n",
    ],
)
def test_a_comment_is_about_its_line_and_what_is_below(lint: Lint, imports: str) -> None:
    text = CLEAN[: CLEAN.index("  imports:")] + imports
    assert [line for line in said(lint(text)) if "REC602" not in line] == []


def test_a_comment_at_the_top_is_about_the_whole_file(lint: Lint) -> None:
    text = changed(("schema: 2\n", f"{IGNORE}\nschema: 2\n"), ("    - demo\n", TWICE))
    assert said(lint(text)) == []


def test_a_comment_is_not_about_what_follows_its_block(lint: Lint) -> None:
    text = changed(("build:\n", f"build:  {IGNORE}\n"), ("    - demo\n", TWICE))
    assert [line.split()[2] for line in said(lint(text))] == ["REC104:", "REC105:"]


def test_a_sign_in_a_string_is_no_comment(lint: Lint) -> None:
    text = changed(("A demonstration", f'"a {IGNORE}"'), ("    - demo\n", TWICE))
    assert [line.split()[2] for line in said(lint(text))] == ["REC105:"]


def test_a_sign_in_a_block_of_text_is_no_comment(lint: Lint) -> None:
    text = changed(("  backend: setuptools\n", f"  backend: setuptools\n  env:\n    X: |\n      a\n      {IGNORE}\n"))
    assert said(lint(text)) == []


def test_a_recipe_that_cannot_be_used_is_an_error_all_the_same(lint: Lint) -> None:
    text = changed((f"sha256: {SHA}", "sha256: abc  # forge: ignore[REC002] later"))
    assert [line.split()[2] for line in said(lint(text))] == ["REC002:"]


def test_a_rule_that_needs_the_network_is_not_missed_without(lint: Lint) -> None:
    assert said(lint(changed(("  version: 1.2.3", "  version: 1.2.3  # forge: ignore[REC309] numpy needs it")))) == []
