"""What is wrong with a wheel's METADATA and entry_points.txt."""

from __future__ import annotations

import configparser
import email
import email.policy
import re
from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.metadata import InvalidMetadata, Metadata
from packaging.version import InvalidVersion

from forge.base.markers import target_environment
from forge.base.target import select_targets

if TYPE_CHECKING:
    from collections.abc import Collection

    from packaging.requirements import Requirement

_REFUSED = frozenset({"metadata-version", "name", "version", "requires-dist", "requires-python"})
"""Fields that installers and indexes refuse a wheel for."""
_REFERENCE = re.compile(r"\s*[\w.]+\s*(?::\s*[\w.]+\s*)?(?:\[[^\]]*\]\s*)?")
"""An object reference of the entry points specification: ``module:attribute [extra]``."""
_SOME_ENVIRONMENT = target_environment(select_targets()[0], "3.13")
"""Which one does not matter: what no environment can evaluate is looked for."""
_METADATA_VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})", flags=re.ASCII)


def metadata_problems(member: str, data: bytes) -> list[tuple[str, bool]]:
    """What is wrong with one of the two files, and whether installers refuse the wheel for it.

    Args:
        member: Its path.
        data: Its bytes.
    """
    return _entry_points(data) if member.endswith(".txt") else _metadata(data)


def _metadata(data: bytes) -> list[tuple[str, bool]]:
    try:
        metadata = Metadata.from_email(data, validate=True)
    except ExceptionGroup as group:
        found: list[tuple[str, bool]] = []
        for error in group.exceptions:
            field = error.field if isinstance(error, InvalidMetadata) else ""
            found.append((str(error).replace("\n", " "), field in _REFUSED))
        return found
    except (ValueError, LookupError) as error:
        return [(str(error), True)]
    return [(problem, True) for each in metadata.requires_dist or () if (problem := _marker_problem(each))]


def _marker_problem(requirement: Requirement) -> str | None:
    """Why a marker cannot be evaluated, which is an error of pip's, if so: ``os_name ~= 'x'`` compares no versions."""
    if requirement.marker is None:
        return None
    try:
        requirement.marker.evaluate({**_SOME_ENVIRONMENT, "extra": ""})
    except UndefinedEnvironmentName as error:
        return f"the marker of {str(requirement)!r} cannot be evaluated: there is no environment variable {error}"
    except (UndefinedComparison, InvalidVersion):
        return f"the marker of {str(requirement)!r} cannot be evaluated: it compares what is not a version as versions"
    return None


def missing_licenses(metadata: bytes, dist_info: str, members: Collection[str]) -> tuple[str, ...]:
    """The files that METADATA's ``License-File`` names and that the wheel lacks.

    From metadata 2.4 on they are in ``licenses`` of the dist-info directory (PEP 639). That field of earlier ones was
    the build back ends' own: the files stood in the directory itself, and only their names count here.

    Args:
        metadata: METADATA's bytes.
        dist_info: The directory's name.
        members: The paths of all files.
    """
    message = email.message_from_bytes(metadata, policy=email.policy.compat32)
    named = [str(name).strip() for name in message.get_all("License-File", [])]
    version = _METADATA_VERSION.match(str(message.get("Metadata-Version", "")))
    strict = version is not None and (int(version[1]), int(version[2])) >= (2, 4)
    own = [path.removeprefix(f"{dist_info}/") for path in members if path.startswith(f"{dist_info}/")]
    last = {path.rpartition("/")[2] for path in own}
    return tuple(
        name for name in named if (f"licenses/{name}" not in own if strict else name.rpartition("/")[2] not in last)
    )


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
