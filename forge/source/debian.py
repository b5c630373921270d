"""Debian's archive as a mirror: apt says where it is, or ``FORGE_DEBIAN_MIRROR`` where there is no apt."""

from __future__ import annotations

import os
import shutil
from urllib.parse import urlsplit

from forge.base.errors import ToolchainError
from forge.base.process import output

_VARIABLE = "FORGE_DEBIAN_MIRROR"


def debian_mirrors() -> tuple[tuple[str, ...], str]:
    """The mirrors of Debian's main archive, without a slash at the end, and if there is none, the reason.

    ``FORGE_DEBIAN_MIRROR`` holds one or several, parted by white space; else apt is asked.
    """
    named = os.environ.get(_VARIABLE, "").split()
    if named:
        return tuple(mirror.rstrip("/") for mirror in named), ""
    if shutil.which("apt-get") is None:
        return (), f"there is no apt here to say where Debian's archive is, and {_VARIABLE} is not set"
    try:
        listing = output(["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)"])
    except ToolchainError as error:
        return (), f"apt does not say where Debian's archive is: {error.message.splitlines()[0]}"
    mirrors: dict[str, None] = {}
    for line in listing.splitlines():
        origin, _, uri = line.rpartition(" ")
        parts = urlsplit(uri)
        # Before the first 'apt-get update' apt does not know an origin; the path tells the archive from its
        # siblings (debian-security, debian-debug). Transports of apt's own, such as cdrom:, are no use here.
        is_main = origin.strip() in ("", "Debian") and parts.path.rstrip("/").endswith("/debian")
        if is_main and parts.scheme in ("http", "https", "file"):
            mirrors.setdefault(uri.rstrip("/"))
    return tuple(mirrors), "" if mirrors else f"apt is not configured for Debian's archive, and {_VARIABLE} is not set"
