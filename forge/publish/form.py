"""The form that the upload API takes beside a file: the core metadata, under names of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.metadata import parse_email

from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.index.add import NewFile

_NAMES = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "license_files": "license_file",
}
"""Fields that the form calls otherwise than `packaging.metadata.RawMetadata` does."""


def upload_form(file: NewFile) -> dict[str, str | list[str]]:
    """The form's fields, all but the file itself.

    Args:
        file: The wheel.
    """
    name = parse_wheel_name(file.held.filename)
    form: dict[str, str | list[str]] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "filetype": "bdist_wheel",
        "pyversion": ".".join(name.pythons),
        "sha256_digest": file.held.sha256,
    }
    raw, _ = parse_email(file.metadata)
    for key, value in raw.items():
        if field := _value(value):
            form[_NAMES.get(key, key)] = ",".join(field) if key == "keywords" else field
    return form


def _value(value: object) -> str | list[str]:
    if isinstance(value, dict):
        pairs: Mapping[str, str] = value
        return [f"{label}, {url}" for label, url in pairs.items()]
    return [str(each) for each in value] if isinstance(value, list) else str(value)
