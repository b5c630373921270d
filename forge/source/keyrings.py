"""Passwords from the keyring: the package keyring, or its program, as pip's option ``--keyring-provider`` says."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECONDS = 60.0
"""How long the program may take; one that waits for somebody to unlock it would wait for ever."""


def from_keyring(provider: str, services: Iterable[str], user: str) -> tuple[str, str] | None:
    """The user and password that the keyring has, or None.

    Args:
        provider: Pip's: ``import`` asks the package keyring, ``subprocess`` the program keyring on PATH. Any other asks
            nobody.
        services: What the password may be kept under, in the order of asking: an address, a host.
        user: Whose password; empty for the keyring's choice, which only the package makes.
    """
    if provider == "import":
        return _from_package(services, user)
    if provider == "subprocess" and user:
        return _from_program(services, user)
    return None


def _from_package(services: Iterable[str], user: str) -> tuple[str, str] | None:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        return None
    for service in services:
        try:
            found = keyring.get_credential(service, user or None)
        except Exception:  # noqa: BLE001 - back ends raise what they like; one that is locked or broken says nothing
            return None
        if found is not None and found.password:
            return str(found.username or user), str(found.password)
    return None


def _from_program(services: Iterable[str], user: str) -> tuple[str, str] | None:
    program = shutil.which("keyring")
    if program is None:
        return None
    for service in services:
        try:
            answer = subprocess.run(
                [program, "get", service, user],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                text=True,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            continue  # it has none, which is an error of its own
        if password := answer.stdout.strip("\r\n"):
            return user, password
    return None
