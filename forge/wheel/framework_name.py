"""What an app build calls the framework that it makes of a ``.so``.

App builds take the module's path up to the first dot and put dots for slashes (CPython's ``iOS/testbed``, the build
script of its Xcode project; ``Doc/using/ios.rst``): ``PIL/_imaging.cpython-313-iphoneos.so`` becomes
``PIL._imaging.framework/PIL._imaging``.
"""

from __future__ import annotations

_INSTALLED_AT_THE_TOP = ("platlib", "purelib", "data")


def installed_path(member: str) -> str | None:
    """Where an installer puts a member, below site-packages; None for what goes elsewhere (scripts, headers).

    Args:
        member: Its path in the wheel.
    """
    top, _, rest = member.partition("/")
    if not top.endswith(".data"):
        return member
    scheme, _, path = rest.partition("/")
    return path if scheme in _INSTALLED_AT_THE_TOP and path else None


def framework_name(member: str) -> str | None:
    """The framework of a ``.so``, e.g. ``PIL._imaging``; empty where the path starts with a dot.

    Args:
        member: Its path in the wheel.

    Returns:
        The name; None for what no app build makes a framework of.
    """
    path = installed_path(member)
    if path is None or not path.endswith(".so"):
        return None
    return path.partition(".")[0].replace("/", ".")


def framework_install_name(name: str) -> str:
    """The install name of a framework's binary, e.g. ``@rpath/PIL._imaging.framework/PIL._imaging``."""
    return f"@rpath/{name}.framework/{name}"


def has_dotted_directory(member: str) -> bool:
    """Whether a directory above the file has a dot in its name, so that the framework's name ends there."""
    path = installed_path(member)
    return path is not None and "." in path.rpartition("/")[0]
