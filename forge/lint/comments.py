"""The comments of a YAML text, which its data has lost, and those of them that speak to lint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from forge.lint.rules import all_rules, finding
from forge.recipe.diagnostics import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forge.lint.model import Finding

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML 1.1 counts as a line break."""

_SCANNER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast
_SIGN = re.compile(r"(?:^|(?<=\s))#")
_IGNORE = re.compile(r"#\s*forge:\s*ignore\b(?:\[(?P<ids>[^\]]*)\])?(?P<reason>.*)", re.DOTALL)


@dataclass(frozen=True)
class Comment:
    """A comment.

    Args:
        where: Its place; its text is all from there to the line's end.
        is_alone: Whether nothing else stands in the line.
    """

    where: Location
    is_alone: bool

    @property
    def text(self) -> str:
        """What it says, with its ``#``."""
        return self.where.text[self.where.column - 1 :]


@dataclass(frozen=True)
class Ignore:
    """``# forge: ignore[ID] reason``.

    Args:
        comment: The comment.
        ids: Rules.
        lines: Which lines it is about, from 1.
    """

    comment: Comment
    ids: frozenset[str]
    lines: range

    def covers(self, found: Finding) -> bool:
        """Whether it is about a finding."""
        return found.rule.id in self.ids and found.where.line in self.lines and not found.is_fatal


def comments_of(text: str, lines: Sequence[str], file: str) -> tuple[Comment, ...]:
    """The comments of a text that is valid YAML.

    Args:
        text: The text.
        lines: Its lines.
        file: The file's name, for places.
    """
    if "#" not in text:
        return ()
    inside = _scalars(text)
    found = []
    for number, line in enumerate(lines):
        for sign in _SIGN.finditer(line):
            if any(start <= (number, sign.start()) < end for start, end in inside.get(number, ())):
                continue
            where = Location(file, number + 1, sign.start() + 1, len(line) - sign.start(), line)
            found.append(Comment(where, not line[: sign.start()].strip()))
            break
    return tuple(found)


def _scalars(text: str) -> dict[int, list[tuple[tuple[int, int], tuple[int, int]]]]:
    """Where strings are that have several words or lines, by each line that they touch."""
    spans: dict[int, list[tuple[tuple[int, int], tuple[int, int]]]] = {}
    try:
        for token in yaml.scan(text, Loader=_SCANNER):
            if isinstance(token, yaml.ScalarToken):
                start = (token.start_mark.line, token.start_mark.column)
                end = (token.end_mark.line, token.end_mark.column)
                for line in range(start[0], end[0] + 1):
                    spans.setdefault(line, []).append((start, end))
    except yaml.YAMLError:  # libyaml refuses a little that PyYAML takes; then nothing is a comment after that place
        pass
    return spans


def ignores_of(comments: Iterable[Comment], lines: Sequence[str]) -> tuple[tuple[Ignore, ...], tuple[Finding, ...]]:
    """The comments that ignore findings, and findings about such that do not work.

    A comment in a line with something else is about that, a comment in a line of its own about what comes next; either
    with everything below it. A comment above the first key is about the whole file.

    Args:
        comments: All comments.
        lines: The text's lines.
    """
    ignores, problems = [], []
    for comment in comments:
        said = _IGNORE.match(comment.text)
        if said is None:
            continue
        ids = {word.strip().upper() for word in (said["ids"] or "").split(",") if word.strip()}
        problem = _problem(ids, said["reason"].strip())
        if problem:
            problems.append(finding("bad-ignore", comment.where, *problem))
        else:
            ignores.append(Ignore(comment, frozenset(ids), _covered(comment, lines)))
    return tuple(ignores), tuple(problems)


def _problem(ids: set[str], reason: str) -> tuple[str, str] | None:
    known = {rule.id for rule in all_rules()}
    if not ids:
        return "the comment names no rule", "write the rule's id in brackets: '# forge: ignore[REC305] reason'"
    if unknown := sorted(ids - known):
        return f"there is no rule {unknown[0][:40]!r}", "'forge lint --explain all' lists the rules"
    if not reason:
        return "the comment gives no reason", "say after the bracket why the finding is all right here"
    return None


def _covered(comment: Comment, lines: Sequence[str]) -> range:
    """The lines that an ignore comment is about."""
    first = comment.where.line - 1
    if comment.is_alone:
        if not any(_has_data(line) for line in lines[:first]):
            return range(1, len(lines) + 1)
        first = next((n for n in range(first, len(lines)) if _has_data(lines[n])), first)
    indent = _indent(lines[first])
    is_item = lines[first].lstrip().startswith("-")
    last = first
    for number in range(first + 1, len(lines)):
        line = lines[number]
        below = _indent(line) > indent or (_indent(line) == indent and not is_item and line.lstrip().startswith("- "))
        if _has_data(line):
            if not below:
                break
            last = number
    return range(comment.where.line, last + 2)


def _has_data(line: str) -> bool:
    bare = line.strip()
    return bool(bare) and not bare.startswith(("#", "---", "%"))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def ends(text: str) -> Iterator[int]:
    """Where each line of a text begins, from 0."""
    yield 0
    for found in BREAK.finditer(text):
        yield found.end()
