"""What commands that have rules share: ``--select``, ``--ignore`` and ``--explain`` name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.audit.rule_book import RuleBook


def rule_words(values: Sequence[str]) -> tuple[str, ...]:
    """The words of an option that may be given several times, each with several words separated by commas."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def rule_ids(
    book: RuleBook[Any], page: str, option: str, select: Sequence[str], ignore: Sequence[str]
) -> frozenset[str]:
    """The ids of the rules that options leave.

    Args:
        book: The rules.
        page: Where they are listed, for the error.
        option: What the words were given to, for the error.
        select: Ids, starts of ids or names; empty for all.
        ignore: The same, taken away again.

    Raises:
        click.BadParameter: A word stands for no rule.
    """
    try:
        return book.select(select, ignore)
    except KeyError as error:
        raise click.BadParameter(
            f"{error.args[0]!r} is not a rule, nor the start of an id; {page} lists them", param_hint=option
        ) from None
