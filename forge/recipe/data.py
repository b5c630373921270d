"""Where forge's own recipes and schemas lie: inside an installed forge, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

import forge
from forge.base.errors import StorageError


def data_directory(kind: str) -> Path:
    """The directory of forge's own ``recipes`` or ``schemas``.

    A wheel of forge carries both under ``forge/_data``; a checkout (also one that is installed editable) has
    them beside the package.

    Raises:
        StorageError: The installation is damaged.
    """
    package = Path(forge.__file__).resolve().parent
    for directory in (package / "_data" / kind, package.parent / kind):
        if directory.is_dir():
            return directory
    raise StorageError(f"this forge has lost its {kind}: {package / '_data' / kind}", hint="install forge again")
