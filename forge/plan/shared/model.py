"""What the modules of the shared cache have in common: its modes and its failures."""

from __future__ import annotations

from enum import StrEnum

from forge.base.errors import ForgeError


class Mode(StrEnum):
    """What a run does with the caches."""

    READ = "read"
    """Take what is there, build the rest."""
    WRITE = "write"
    """The same, and upload what was built."""
    ONLY = "only"
    """Take what is there, and refuse to build."""


class CacheError(ForgeError):
    """The shared cache is configured wrongly, or nothing is to be built and a wheel is in no cache.

    It is here and not in `forge.base.errors` so that it is not part of a build's fingerprint, as the cache is not.
    """

    exit_code = 12
    title = "cache"


class MissingError(Exception):
    """A place does not have a file: no failure."""


class PlaceError(Exception):
    """A place failed: it does not answer, refuses, or is full. Holds the reason in a few words."""


class IgnoredError(Exception):
    """An entry is not taken, e.g. since nobody trusted has signed it. Holds the reason, which follows its name."""


class StoppedError(Exception):
    """The run was interrupted: what is under way ends."""
