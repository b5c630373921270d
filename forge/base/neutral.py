"""Directories of this machine replaced by names that are the same on every machine, in text that a build wrote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def neutral(text: bytes, names: Mapping[Path, str]) -> bytes:
    """Text with directories replaced, the longest that fits first.

    A directory counts where it stands as a whole path or as the beginning of one: ``/srv/a`` is not in ``/srv/ab``,
    nor in ``http://host/srv/a``.

    Args:
        text: UTF-8, or any encoding that agrees with ASCII.
        names: Absolute paths, and what they are called instead.
    """
    places = {str(path).encode(): name.encode() for path, name in names.items()}
    if not any(place in text for place in places):
        return text
    longest = sorted(places, key=len, reverse=True)
    alternatives = b"|".join(map(re.escape, longest))
    # Before it: no part of a longer path or of a URL's host; options such as -I and -L stand right before paths.
    pattern = re.compile(rb"(?:(?<![\w./~-])|(?<=-[ILF])|(?<=file://))(" + alternatives + rb")(?![\w.~-])")
    return pattern.sub(lambda found: places[found[1]], text)
