"""Data files of the toolchain: symbols and libraries, header rules, forge's own headers and compiler runtime."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import yaml


def data_path(name: str) -> Path:
    """The path of a data file or directory of this package."""
    # forge is installed as files (hatchling's wheels are not run from a zip), so this is a real path.
    return Path(str(resources.files(__name__) / name))


def load_yaml(name: str) -> Any:
    """A YAML data file's content."""
    return yaml.safe_load(data_path(name).read_text(encoding="utf-8"))


def load_json(name: str) -> Any:
    """A JSON data file's content."""
    return json.loads(data_path(name).read_text(encoding="utf-8"))
