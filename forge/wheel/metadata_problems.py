"""What is wrong with a wheel's METADATA and entry_points.txt."""

from __future__ import annotations

import configparser
import re

from packaging.metadata import InvalidMetadata, Metadata

_REFUSED = frozenset({"metadata-version", "name", "version", "requires-dist", "requires-python"})
"""Fields that installers and indexes refuse a wheel for."""
_REFERENCE = re.compile(r"\s*[\w.]+\s*(?::\s*[\w.]+\s*)?(?:\[[^\]]*\]\s*)?")
"""An object reference of the entry points specification: ``module:attribute [extra]``."""


def metadata_problems(member: str, data: bytes) -> list[tuple[str, bool]]:
    """What is wrong with one of the two files, and whether installers refuse the wheel for it.

    Args:
        member: Its path.
        data: Its bytes.
    """
    return _entry_points(data) if member.endswith(".txt") else _metadata(data)


def _metadata(data: bytes) -> list[tuple[str, bool]]:
    try:
        Metadata.from_email(data, validate=True)
    except ExceptionGroup as group:
        found: list[tuple[str, bool]] = []
        for error in group.exceptions:
            field = error.field if isinstance(error, InvalidMetadata) else ""
            found.append((str(error).replace("\n", " "), field in _REFUSED))
        return found
    except (ValueError, LookupError) as error:
        return [(str(error), True)]
    return []


def _entry_points(data: bytes) -> list[tuple[str, bool]]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[method-assign,assignment]  # how configparser keeps letters' case
    try:
        parser.read_string(data.decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError) as error:
        return [(str(error).replace("\n", " "), True)]
    return [
        (f"[{section}] {name} = {value!r} is not an object reference", False)
        for section in parser.sections()
        for name, value in parser.items(section)
        if _REFERENCE.fullmatch(value) is None
    ]
