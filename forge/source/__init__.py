"""Sources: find, download, verify, unpack and patch them."""

from forge.source.archive import Limits, unpack
from forge.source.debian import debian_mirrors
from forge.source.download import download
from forge.source.fetch import fetch, prepare
from forge.source.http import Patience
from forge.source.index import IndexFile, find_sdists, project_hashes
from forge.source.model import Attempt, GitSource, PathSource, SdistSource, Source, UrlSource
from forge.source.patch import apply_patches
from forge.source.pip_config import IndexConfig

__all__ = [
    "Attempt",
    "GitSource",
    "IndexConfig",
    "IndexFile",
    "Limits",
    "PathSource",
    "Patience",
    "SdistSource",
    "Source",
    "UrlSource",
    "apply_patches",
    "debian_mirrors",
    "download",
    "fetch",
    "find_sdists",
    "prepare",
    "project_hashes",
    "unpack",
]
