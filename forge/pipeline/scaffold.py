"""A repository for recipes of one's own: directories, configuration, and the workflows that answer pull requests."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

import forge
from forge.base.errors import StorageError
from forge.recipe.data import data_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKFLOWS = ("pull-request.yml", "comment.yml", "wheels.yml", "update.yml")
"""The workflows; forge's own repository has the same ones."""

_SCHEMA = "recipe.schema.json"
"""What recipes name in their first line, for editors."""

_FILES = {
    "README.md": "private/README.md",
    "forge.toml": "private/forge.toml",
    ".gitignore": "private/gitignore",
    "recipes/README.md": "private/recipes.md",
    ".github/actions/setup-forge/action.yml": "private/action.yml",
    **{f".github/workflows/{name}": f"workflows/{name}" for name in WORKFLOWS},
}


def scaffold_files(name: str, requirement: str) -> dict[str, str]:
    """The files of a new repository, by path.

    Args:
        name: What the repository is called, for people.
        requirement: What pip installs forge from (PEP 508).
    """
    # The delimiters are not those of GitHub's expressions.
    environment = jinja2.Environment(  # noqa: S701 - YAML and Markdown
        variable_start_string="<<", variable_end_string=">>", block_start_string="<%", block_end_string="%>",
        comment_start_string="<#", comment_end_string="#>", keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    values = {
        "name": name, "requirement": _quoted(requirement), "version": forge.__version__,
        "install": f"pip install '{requirement}'",
    }  # fmt: skip
    files = {path: environment.from_string(_template(file)).render(values) for path, file in _FILES.items()}
    schema = data_directory("schemas") / _SCHEMA
    return {**files, f"schemas/{_SCHEMA}": schema.read_text(encoding="utf-8")}


def write_scaffold(directory: Path, files: Mapping[str, str]) -> None:
    """Make a directory with these files; all of it, or nothing.

    Args:
        directory: What is made; an empty one may be there.
        files: From `scaffold_files`.

    Raises:
        StorageError: There is something in the directory already, or it cannot be written.
    """
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise StorageError(f"{directory} is not empty", hint="name a new directory; nothing was written")
        directory.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise StorageError(f"cannot make {directory}: {error.strerror}", hint="name another directory") from error
    try:
        for path, text in files.items():
            file = made / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        made.chmod(0o777 & ~_umask())
        os.rename(made, directory)  # noqa: PTH104 - over an empty directory, which Path.rename documents less
    except OSError as error:
        raise StorageError(f"cannot write {directory}: {error.strerror}", hint="nothing was written") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def workflow(name: str) -> str:
    """The text of one of `WORKFLOWS`."""
    return _template(f"workflows/{name}")


def _template(file: str) -> str:
    return (resources.files("forge.pipeline") / "templates" / file).read_text(encoding="utf-8")


def _quoted(text: str) -> str:
    """A string of YAML: in single quotes nothing but these has a meaning."""
    return "'" + text.replace("'", "''") + "'"


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
