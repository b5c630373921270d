"""Pages from templates: everything that is put in is escaped."""

from __future__ import annotations

import functools
from typing import Any

import jinja2


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("forge.index"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def page(template: str, **values: Any) -> str:
    """A page.

    Args:
        template: The template's name.
        values: What it names.
    """
    return _environment().get_template(template).render(values)
