"""YAML text to plain data that remembers where each key and value stood.

PyYAML composes the node graph (YAML 1.1, safe: nothing is constructed); this module turns nodes into dicts,
lists and scalars, and keeps positions beside them. It stops what a hostile or broken file could do: alias
bombs, aliases that hold themselves, nesting without end, keys given twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Location, Note

if TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]
"""Where a value stands in the data: keys and indices from the root."""

MAX_BYTES = 256 * 1024
"""The largest recipe that is read; real ones have a few KiB."""

MAX_DEPTH = 32
"""How deep lists and mappings may nest; the format itself needs 6."""

MAX_VALUES = 20_000
"""How many values a file may hold once its aliases are expanded; what stops an alias bomb."""

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what PyYAML counts as a line break (YAML 1.1, 5.4)
_TAG = "tag:yaml.org,2002:"
_HINTS = (
    ("'\\t'", "use spaces instead"),
    (
        "expected ',' or",
        "put ',' between items, close the bracket, and quote a value that has '{', '[' or ': ' in it",
    ),
    ("mapping values are not allowed", "quote a value that holds ': ', and check the indentation"),
    ("could not find expected ':'", "a key needs a ':' after it; check the indentation of the lines above"),
    ("expected <block end>", "check the indentation: lines of one mapping or list start in one column"),
    ("cannot start any token", "quote the value"),
    ("found undefined alias", "quote a value that starts with '*'"),
    ("found another document", "a recipe is one document: remove '---' and what follows"),
    ("found unexpected end of stream", "a quote or bracket is not closed"),
)


@dataclass(frozen=True)
class Document:
    """A YAML file's data and positions.

    Args:
        file: The file's name, as shown to the user.
        data: Dicts, lists, str, int, float, bool and None.
        keys: Where each mapping's key stands, by the path of its value.
        values: Where each value stands, by its path.
        raw: What was written, for each scalar, by its path.
        problems: What is wrong with the YAML but did not stop the reading: keys given twice, and the like.
        lines: The text's lines.
    """

    file: str
    data: object
    keys: Mapping[Path, Location]
    values: Mapping[Path, Location]
    raw: Mapping[Path, str]
    problems: tuple[Diagnostic, ...]
    lines: tuple[str, ...]

    def key_at(self, path: Path) -> Location:
        """The place of the key at *path*; of the value if it has none (a list's item, the root)."""
        return self.keys.get(path) or self.value_at(path)

    def value_at(self, path: Path) -> Location:
        """The place of the value at *path*, or of the nearest thing around it that is there."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path) or Location(self.file, 1, text=self.lines[0] if self.lines else "")


def parse_document(content: bytes, file: str) -> Document:
    """Read a YAML file's content.

    Args:
        content: The bytes, UTF-8.
        file: The file's name, for messages.

    Raises:
        InvalidRecipeError: It is too large, not UTF-8, not YAML, or nests too deep.
    """
    if len(content) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES:,} bytes, which a recipe may have at most"
        raise InvalidRecipeError([Diagnostic(Location(file, 1), message)])
    text = _decode(content, file)
    lines = tuple(_BREAK.split(text))
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise InvalidRecipeError([_marked(error, file, lines)]) from error
    except yaml.reader.ReaderError as error:
        where = _at_offset(file, lines, text, error.position)
        raise InvalidRecipeError(
            [Diagnostic(where, f"character U+{ord(text[error.position]):04X} is not allowed in YAML", "remove it")]
        ) from error
    except (ValueError, OverflowError) as error:  # PyYAML converts escapes and %YAML numbers without looking
        mark = loader.get_mark() if loader else None
        where = _location(file, lines, mark.line, mark.column) if mark else Location(file, 1)
        raise InvalidRecipeError([Diagnostic(where, "YAML escape or number out of range")]) from error
    if root is None:
        raise InvalidRecipeError(
            [
                Diagnostic(
                    Location(file, 1),
                    "the file is empty",
                    "a recipe starts with 'schema: 2'; see docs/recipes.md",
                )
            ]
        )
    builder = _Builder(file, lines)
    data = builder.build(root, ())
    return Document(file, data, builder.keys, builder.values, builder.raw, tuple(builder.problems), lines)


class _Loader(yaml.SafeLoader):
    """PyYAML's composer with a limit to nesting: it recurses, and would end in RecursionError."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it out
            raise yaml.composer.ComposerError(None, None, f"lists and mappings nest more than {MAX_DEPTH} deep", mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


@dataclass
class _Builder:
    """Nodes to data; positions and problems are gathered on the way."""

    file: str
    lines: tuple[str, ...]
    keys: dict[Path, Location] = field(default_factory=dict)
    values: dict[Path, Location] = field(default_factory=dict)
    raw: dict[Path, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)

    def build(self, node: yaml.Node, path: Path) -> object:
        where = self._where(node)
        if len(path) > MAX_DEPTH:  # an alias that holds itself goes on for ever
            raise InvalidRecipeError([*self.problems, Diagnostic(where, "an alias is inside what it names")])
        if len(self.values) > MAX_VALUES:
            message = f"the file expands to more than {MAX_VALUES:,} values"
            raise InvalidRecipeError([*self.problems, Diagnostic(where, message, "use fewer aliases")])
        self.values[path] = where
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.build(item, (*path, number)) for number, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            self.raw[path] = node.value
            return self._scalar(node, where)
        return self._problem(where, f"the tag {node.tag!r} is not supported", "remove the tag")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        data: dict[str, object] = {}
        for key_node, value_node in node.value:
            where = self._where(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(
                    where, "a key must be a string, not a list or mapping", "quote a value that starts with '{' or '['"
                )
                continue
            key = key_node.value
            if key_node.tag == f"{_TAG}merge":
                self._problem(where, "merge keys ('<<') are not supported", "write the keys out")
            elif key_node.tag != f"{_TAG}str":
                self._problem(where, f"YAML does not read the key {key!r} as a string", f'quote it: "{key}":')
            elif key in data:
                first = Note(self.keys[(*path, key)], "it is given here already")
                self.problems.append(Diagnostic(where, f"the key {key!r} is given twice", "keep one", (first,)))
            elif self._text(key, where):
                self.keys[(*path, key)] = where
                data[key] = self.build(value_node, (*path, key))
        return data

    def _scalar(self, node: yaml.ScalarNode, where: Location) -> object:
        text: str = node.value
        match node.tag.removeprefix(_TAG):
            case "str" | "value":
                return text if self._text(text, where) else ""
            case "null":
                return None
            case "bool":
                return text.lower() in {"yes", "true", "on"}
            case "int" | "float":
                try:
                    return _number(node)
                except (ValueError, OverflowError, IndexError):  # IndexError: '!!int' without a value
                    return self._problem(where, f"YAML reads {text[:60]!r} as a number, but an invalid one", "quote it")
            case "timestamp":
                return self._problem(where, f"YAML reads {text!r} as a date", f'quote it: "{text}"')
            case _:
                return self._problem(where, f"the tag {node.tag!r} is not supported", "remove the tag")

    def _text(self, text: str, where: Location) -> bool:
        """Whether a string can be encoded and passed to a program; otherwise a problem is noted."""
        if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
            self._problem(where, "the string holds a NUL or half of a surrogate pair", "remove the escape")
            return False
        return True

    def _problem(self, where: Location, message: str, hint: str | None = None) -> str:
        """Note a problem; the value becomes an empty string, of which no later check complains again."""
        self.problems.append(Diagnostic(where, message, hint))
        return ""

    def _where(self, node: yaml.Node) -> Location:
        start, end = node.start_mark, node.end_mark
        width = end.column - start.column if isinstance(node, yaml.ScalarNode) and start.line == end.line else 1
        return _location(self.file, self.lines, start.line, start.column, width)


def _number(node: yaml.ScalarNode) -> Any:
    constructor = yaml.constructor.SafeConstructor()
    if node.tag == f"{_TAG}int":
        return constructor.construct_yaml_int(node)
    return constructor.construct_yaml_float(node)


def _decode(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = _BREAK.split(content[: error.start].decode("utf-8-sig", errors="replace"))
        after = _BREAK.split(content[error.start :].decode("utf-8", errors="replace"))
        where = _location(file, (*before[:-1], before[-1] + after[0]), len(before) - 1, len(before[-1]))
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise InvalidRecipeError([Diagnostic(where, message, "save the file as UTF-8")]) from error


def _marked(error: yaml.MarkedYAMLError, file: str, lines: tuple[str, ...]) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    where = _location(file, lines, mark.line, mark.column) if mark else Location(file, 1)
    problem = str(error.problem or error.context or "syntax error")
    hint = next((text for sign, text in _HINTS if sign in problem), None)
    if "found character" in problem and where.text[where.column - 1 : where.column] == "\t":
        problem, hint = "a tab where only spaces are allowed", _HINTS[0][1]
    notes: tuple[Note, ...] = ()
    if (
        error.context
        and error.context_mark
        and error.problem_mark
        and error.context_mark.line != error.problem_mark.line
    ):
        began = _location(file, lines, error.context_mark.line, error.context_mark.column)
        notes = (Note(began, str(error.context)),)
    return Diagnostic(where, f"not valid YAML: {problem}", hint, notes)


def _location(file: str, lines: tuple[str, ...], line: int, column: int, width: int = 1) -> Location:
    """A place from PyYAML's numbers, which start at 0; past the end is the last line's end."""
    if line >= len(lines):
        line, column = max(0, len(lines) - 1), len(lines[-1]) if lines else 0
    return Location(file, line + 1, column + 1, max(1, width), lines[line] if lines else "")


def _at_offset(file: str, lines: tuple[str, ...], text: str, offset: int) -> Location:
    before = _BREAK.split(text[:offset])
    return _location(file, lines, len(before) - 1, len(before[-1]))
