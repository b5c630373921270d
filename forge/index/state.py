"""The file ``forge-index.json``, which says what an index holds; it is written last, so that it never says too much."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from forge.base.errors import WheelError
from forge.index.model import HeldFile, IndexState, PackageIndexError
from forge.plan.shared.model import IgnoredError, MissingError, PlaceError

if TYPE_CHECKING:
    from forge.plan.shared.places import Place

STATE = "forge-index.json"
"""The file's name, in the index's root."""

VERSION = 1
"""Goes up when a field changes its meaning or goes away."""

MAX_BYTES = 256 * 1024 * 1024
"""The largest such file that is read; 10,000 wheels take 6 MB."""

_ORDER = tuple(sorted(each.name for each in fields(HeldFile)))
_FIELDS = frozenset(_ORDER)


def state_text(state: IndexState) -> str:
    """The file's text, the same for the same state."""
    files = [{key: getattr(state.files[name], key) for key in _ORDER} for name in sorted(state.files)]
    lines = ",\n".join(json.dumps(file, ensure_ascii=False) for file in files)
    name, url = json.dumps(state.name, ensure_ascii=False), json.dumps(state.url)
    return f'{{"version": {VERSION}, "name": {name}, "url": {url}, "files": [\n{lines}\n]}}\n'


def parse_state(content: bytes, where: str) -> IndexState:
    """Read the file's content.

    Args:
        content: Its bytes.
        where: What it is of, for messages.

    Raises:
        PackageIndexError: It is damaged, or of a newer forge.
    """
    try:
        data: Any = json.loads(content)
        version = data["version"]
        if isinstance(version, int) and version > VERSION:
            raise PackageIndexError(f"{where} was made by a newer forge", hint="upgrade forge")
        files = [_file(entry) for entry in data["files"]]
        state = IndexState({file.filename: file for file in files}, str(data["name"]), str(data.get("url", "")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, WheelError) as error:
        raise PackageIndexError(
            f"{where} is damaged: its {STATE} cannot be read", hint="restore the file, or make the index anew"
        ) from error
    return state


def read_state(place: Place) -> IndexState | None:
    """What an index holds; None if there is none at that place.

    Raises:
        PackageIndexError: It is damaged, or the place does not answer.
    """
    out = io.BytesIO()
    try:
        place.get(STATE, out, MAX_BYTES)
    except MissingError:
        return None
    except (PlaceError, IgnoredError) as error:
        raise PackageIndexError(
            f"cannot read {place.name}: {error}", hint="check the address, and permissions"
        ) from error
    return parse_state(out.getvalue(), place.name)


def _file(entry: dict[str, Any]) -> HeldFile:
    """One entry; fields of a later forge are passed over.

    Raises:
        ValueError: A field has another type.
    """
    values: dict[str, Any] = {key: value for key, value in entry.items() if key in _FIELDS}
    for key in ("requires_dist", "contains"):
        values[key] = tuple(values.get(key, ()))
    if values.get("findings") is not None:
        values["findings"] = tuple(values["findings"])
    file = HeldFile(**values)
    file.name  # noqa: B018 - raises an error if it is no wheel's
    texts = (file.filename, file.sha256, file.uploaded, file.metadata_sha256, file.summary, file.license, file.suite)
    lists = (*file.requires_dist, *file.contains, *(file.findings or ()))
    if not all(isinstance(text, str) for text in (*texts, *lists)) or not isinstance(file.size, int):
        raise ValueError(file.filename)
    optional = (file.requires_python, file.yanked, file.provenance_sha256)
    if not all(text is None or isinstance(text, str) for text in optional):
        raise ValueError(file.filename)
    return file
