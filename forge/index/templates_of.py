"""Pages from templates: everything that is put in is escaped."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from collections.abc import Mapping


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("forge.index"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["fragment"] = _fragment
    environment.filters["metadata_attribute"] = _metadata_attribute
    return environment


# Templates that have a line for each of thousands of files name their fields as items: Jinja tries an attribute of the
# dictionary first where they are written with a dot, which takes longer than all else.


def _fragment(digests: Mapping[str, str]) -> str:
    """The fragment of a file's address that names a hash (PEP 503); empty where none is known."""
    return next((f"#{kind}={digest}" for kind, digest in digests.items()), "")


def _metadata_attribute(digests: Any) -> str:
    """PEP 714's attribute: a hash, or ``true`` where none is known."""
    return (
        next((f"{kind}={digest}" for kind, digest in digests.items()), "true") if isinstance(digests, dict) else "true"
    )


def page(template: str, **values: Any) -> str:
    """A page.

    Args:
        template: The template's name.
        values: What it names.
    """
    return _environment().get_template(template).render(values)
