"""Text from files, made safe to print: names in wheels and binaries may hold anything.

A terminal obeys escape sequences, and CI systems obey lines that look like their commands. Both reach a log through
names that nobody chose for printing: install names, symbols, METADATA. Everything that comes out of a file goes
through here before it is printed.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0 and C1 control characters
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"  # line separators, invisible and bidirectional marks
    "\ud800-\udfff\ufff9-\ufffb]"  # lone surrogates, which no stream can encode; annotation marks
)
_COMMAND = re.compile(r"^(\s*)::|##(?=\[|\w+\[)")
"""GitHub's and Gitea's ``::command::`` at a line's start; ``##[command]``, Azure's ``##vso[``, TeamCity's
``##teamcity[`` anywhere in a line."""


def printable(text: str) -> str:
    r"""One line of text that only shows itself.

    Control characters, line breaks, and marks that change the order of letters become backslash escapes as in
    Python's string literals; the first character of what a CI system takes for a command does too.

    Args:
        text: Any text, e.g. ``x\n::error::y``.

    Returns:
        Text without a line break, e.g. ``x\\n::error::y``.
    """
    return _COMMAND.sub(_escaped_command, _UNSAFE.sub(_escaped, text))


def printable_lines(text: str) -> str:
    """The same for text whose line breaks and tabs are meant; what each line holds is treated as `printable` does."""
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _escaped_command(found: re.Match[str]) -> str:
    return "\\x23#" if found[1] is None else f"{found[1]}\\x3a:"
