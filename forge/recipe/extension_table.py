"""The table of a package's extension modules, ``extension-modules.txt`` beside its recipe.

forge writes it, from wheels, and checks each build against it: what a tool can find out nobody has to type. A line has
a module's dotted name, the targets whose wheels have it, conditions if there are any, and a comment that says why::

    demo._speedups   all
    demo._simd       arm64-iphoneos,arm64-iphonesimulator
    demo._new        all                                     python>=3.14
    demo._fork       none                                    # iOS has no processes
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from forge.base.target import select_targets
from forge.recipe.checks import specifier_problem
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, did_you_mean
from forge.recipe.rules import module_problem, shortened
from forge.recipe.values import DEFAULT_VARIANT, Value, When

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

MAX_BYTES = 256 * 1024
"""The largest table that is read; that of scipy has 8 KiB."""

MULTIARCHES = tuple(target.multiarch for target in select_targets())
"""The targets that a line can name, as PEP 730 writes them."""

_HEADER = """\
# The extension modules of the wheel, and the targets that have them; every build is checked against this.
# Written by forge, from wheels: 'forge lock {name} --wheel FILE...' makes it again and keeps comments.
"""
_CONDITION = re.compile(r"(python|ios_version)(?=[<>=!~])|variant=")


@dataclass(frozen=True)
class Row:
    """What the table says of one module.

    Args:
        module: Its dotted name.
        targets: The targets that have it (``arm64-iphoneos``), in the order of `MULTIARCHES`; none: it is left out.
        when: Further conditions: Python, iOS version and variant.
        comment: Why, or an empty string.
        where: Its place, for messages.
    """

    module: str
    targets: tuple[str, ...] = MULTIARCHES
    when: When = field(default_factory=When)
    comment: str = ""
    where: Location = field(default=Location("", 1), compare=False)

    def values(self) -> Iterator[Value]:
        """The promise as a recipe's values: one, or several where one condition cannot say which targets are meant."""
        for abis, arches in _conditions(self.targets):
            when = replace(self.when, abi=abis, arch=arches)
            yield Value(self.module, None if when == When() else when, self.where)


def parse_table(content: bytes, file: str, variants: Collection[str] = ()) -> tuple[Row, ...]:
    """Read a table.

    Args:
        content: UTF-8.
        file: The file's name, for messages.
        variants: Those that the recipe declares.

    Raises:
        InvalidRecipeError: It is malformed; says everything that is wrong, by line.
    """
    if len(content) > MAX_BYTES:
        raise InvalidRecipeError([Diagnostic(Location(file, 1), f"the table is larger than {MAX_BYTES:,} bytes")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        broken = content.count(b"\n", 0, error.start) + 1
        raise InvalidRecipeError([Diagnostic(Location(file, broken), "the table is not UTF-8")]) from error
    rows: dict[tuple[str, When], Row] = {}
    problems: list[Diagnostic] = []
    for number, line in enumerate(text.splitlines(), start=1):
        said, _, comment = line.partition("#")
        words = [_Word(found[0], Location(file, number, found.start() + 1, len(found[0]), line))
                 for found in re.finditer(r"\S+", said)]  # fmt: skip
        if not words:
            continue
        reader = _Line(variants)
        row = replace(reader.row(words), comment=comment.strip())
        problems += reader.problems
        key = (row.module, row.when)
        if key in rows:
            problems.append(Diagnostic(row.where, f"{shortened(row.module)} is listed twice", "keep one of the lines"))
        rows.setdefault(key, row)
    if problems:
        raise InvalidRecipeError(problems)
    return tuple(rows.values())


def table_text(rows: Iterable[Row], name: str) -> str:
    """A table's text, sorted by module.

    Args:
        rows: Its lines.
        name: The recipe's name.
    """
    ordered = sorted(rows, key=lambda row: (row.module, row.targets, _conditions_text(row.when)))
    cells = [(row.module, _targets_text(row.targets), _conditions_text(row.when), row.comment) for row in ordered]
    widths = [max((len(cell[column]) for cell in cells), default=0) for column in range(3)]
    lines = []
    for *columns, comment in cells:
        padded = "  ".join(text.ljust(width) for text, width in zip(columns, widths, strict=True) if width)
        lines.append(f"{padded}  # {comment}" if comment else padded.rstrip())
    return _HEADER.format(name=name) + "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True)
class _Word:
    """One word of a line, and its place."""

    text: str
    where: Location


@dataclass
class _Line:
    """Reads the words of one line, and gathers what is wrong with them."""

    variants: Collection[str]
    problems: list[Diagnostic] = field(default_factory=list)

    def row(self, words: Sequence[_Word]) -> Row:
        module, where = words[0].text, words[0].where
        if problem := module_problem(module, where):
            self.problems.append(problem)
        if len(words) == 1:
            hint = f"write 'all', 'none' or targets separated by commas: {', '.join(MULTIARCHES)}"
            self.problems.append(Diagnostic(where, f"{shortened(module)} has no targets", hint))
            return Row(module, where=where)
        return Row(module, self._targets(words[1]), self._when(words[2:]), where=where)

    def _targets(self, word: _Word) -> tuple[str, ...]:
        if word.text in ("all", "none"):
            return MULTIARCHES if word.text == "all" else ()
        named = word.text.split(",")
        for name in named:
            if name not in MULTIARCHES:
                hint = did_you_mean(name, (*MULTIARCHES, "all", "none"), "targets")
                where = word.where.within(name, 0, len(name)) if name else word.where
                self.problems.append(Diagnostic(where, f"unknown target {shortened(name)}", hint))
        return tuple(each for each in MULTIARCHES if each in named)

    def _when(self, words: Sequence[_Word]) -> When:
        found: dict[str, tuple[str, ...]] = {}
        for word in words:
            match = _CONDITION.match(word.text)
            if match is None:
                hint = "a condition is e.g. python>=3.14, ios_version>=16.0 or variant=name, without white space"
                self.problems.append(Diagnostic(word.where, f"{shortened(word.text)} is not a condition", hint))
                continue
            key, text = match[0].removesuffix("="), word.text[match.end() :]
            if key in found:
                self.problems.append(Diagnostic(word.where, f"two conditions on {key}", "keep one"))
            found[key] = (text,)
            if key == "variant":
                known = (*self.variants, DEFAULT_VARIANT)
                if text not in known:
                    message = f"the recipe declares no variant {shortened(text)}"
                    self.problems.append(Diagnostic(word.where, message, did_you_mean(text, known, "variants")))
            elif problem := specifier_problem(text, is_ios=key == "ios_version"):
                self.problems.append(Diagnostic(word.where, *problem))
        return When(**found)


def _conditions(targets: tuple[str, ...]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """ABIs and architectures that together are some targets: empty ones are not asked about."""
    if not targets:
        return []
    if targets == MULTIARCHES:
        return [((), ())]
    pairs = [(name.split("-")[1], name.split("-")[0]) for name in targets]
    abis, arches = (tuple(dict.fromkeys(column)) for column in zip(*pairs, strict=True))
    there = {(name.split("-")[1], name.split("-")[0]) for name in MULTIARCHES}
    if there & set(itertools.product(abis, arches)) == set(pairs):
        return [(abis, arches)]
    return [((abi,), (arch,)) for abi, arch in pairs]


def _targets_text(targets: tuple[str, ...]) -> str:
    return "all" if targets == MULTIARCHES else ",".join(targets) or "none"


def _conditions_text(when: When) -> str:
    parts = [f"python{text}" for text in when.python] + [f"ios_version{text}" for text in when.ios_version]
    return " ".join(parts + [f"variant={name}" for name in when.variant])
