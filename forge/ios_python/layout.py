"""Whose layout an XCframework for Python has, and what of it is not there.

python.org's (``Platforms/Apple/__main__.py`` of CPython 3.15) and BeeWare's (Python-Apple-support) agree in most; they
are told apart by what only one of them has.
"""

from __future__ import annotations

import plistlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.base.errors import IOSPythonError
from forge.ios_python.interface import TARGETS

if TYPE_CHECKING:
    from pathlib import Path

    from forge.ios_python.product import XCFramework

EXPECTED = ("_bz2", "_ctypes", "_decimal", "_hashlib", "_lzma", "_sqlite3", "_ssl", "_uuid", "zlib")
"""Extension modules with a library in them, which a publisher may have left out."""

_OTHER_SYSTEMS = {"tvos": "tvOS", "watchos": "watchOS", "xros": "visionOS", "macos": "macOS"}


@dataclass(frozen=True)
class Layout:
    """What an XCframework for Python was recognised as.

    Args:
        publisher: ``BeeWare``, ``python.org`` or ``CPython's layout``.
        libraries: What it says it has inside: library and version (BeeWare's ``VERSIONS``).
        has_platform_config: Whether pip can be told of the target by ``platform-config`` (BeeWare's 3.13 and 3.14).
        has_build_details: Whether it has ``build-details.json`` (PEP 739).
    """

    publisher: str
    libraries: tuple[tuple[str, str], ...]
    has_platform_config: bool
    has_build_details: bool

    def check(self, product: XCFramework) -> None:
        """Whether forge's wheels fit this Python.

        Raises:
            IOSPythonError: It is free-threaded or a debug build, or its extension modules have other names.
        """
        for target in product.targets:
            text = product.sysconfigdata(target).read_text(encoding="utf-8", errors="replace")
            for name, what in (("Py_GIL_DISABLED", "a free-threaded build"), ("Py_DEBUG", "a debug build")):
                if re.search(rf"""['"]{name}['"]:\s*['"]?1\b""", text):
                    raise IOSPythonError(
                        f"Python {product.version} for {target.multiarch} is {what}, which forge does not support",
                        hint="add one with the default ABI",
                    )
            tag = product.minor.replace(".", "")
            expected = f".cpython-{tag}-{target.abi}.so"
            found = re.search(r"""['"]EXT_SUFFIX['"]:\s*['"]([^'"]*)['"]""", text)
            if found is None or found[1] != expected:
                raise IOSPythonError(
                    f"extension modules of Python {product.version} for {target.multiarch} end in "
                    f"{found[1] if found else 'an unknown suffix'} instead of {expected}",
                    hint="is it an official build for iOS?",
                )

    def lacks(self, product: XCFramework) -> tuple[str, ...]:
        """What a Python for iOS has and this one lacks, for people, in a fixed order."""
        lacking: list[str] = []
        there = {target.multiarch for target in product.targets}
        lacking += [f"the slice for {target.multiarch}" for target in TARGETS if target.multiarch not in there]
        for target in product.targets:
            modules = set(product.extension_modules(target))
            if missing := [name for name in EXPECTED if name not in modules]:
                lacking.append(f"the extension modules {', '.join(missing)} for {target.multiarch}")
            if not (product.slice(target) / "Python.framework" / "Python").is_file():
                lacking.append(f"Python.framework/Python for {target.multiarch}")
        if not product.stdlib.is_dir():
            lacking.append("the standard library")
        return tuple(dict.fromkeys(lacking))


def find_xcframework(tree: Path, what: str) -> Path:
    """The ``Python.xcframework`` in an unpacked archive or directory.

    Args:
        tree: The directory.
        what: What the user called it, for messages.

    Raises:
        IOSPythonError: There is none, or it is for another system than iOS.
    """
    candidates = [tree, tree / "Python.xcframework", *sorted(tree.glob("*/Python.xcframework"))]
    found = next((path for path in candidates if (path / "Info.plist").is_file()), None)
    # An archive of nothing but the XCframework, whose top directory was left out when it was unpacked.
    found = found or next((path for path in candidates if any(path.glob("ios-*/Python.framework"))), None)
    if found is None:
        raise IOSPythonError(
            f"{what} contains no Python.xcframework",
            hint="give an archive of python.org or BeeWare for iOS, or the XCframework's own directory",
        )
    platforms = _platforms(found)
    if "ios" not in platforms and not any(found.glob("ios-*")):
        names = ", ".join(_OTHER_SYSTEMS.get(platform, platform) for platform in sorted(platforms)) or "nothing"
        raise IOSPythonError(f"{what} is for {names}, not for iOS", hint="download the archive for iOS")
    return found


def recognise(root: Path) -> Layout:
    """Whose layout an XCframework has.

    Args:
        root: Its directory; what lies beside it counts too.
    """
    platform_config = any(root.glob("ios-*/platform-config"))
    build_details = any(root.glob("ios-*/lib-*/python*/build-details.json"))
    libraries = _libraries(root.parent / "VERSIONS")
    if platform_config or libraries:
        publisher = "BeeWare"
    elif build_details:
        publisher = "python.org"
    else:
        publisher = "CPython's layout"
    return Layout(publisher, libraries, platform_config, build_details)


def _platforms(root: Path) -> set[str]:
    try:
        data: Any = plistlib.loads((root / "Info.plist").read_bytes())
        return {str(library["SupportedPlatform"]) for library in data["AvailableLibraries"]}
    except Exception:  # noqa: BLE001 - plistlib raises whatever its parsers do; the files tell the platform too
        return {path.name.partition("-")[0] for path in root.glob("*-*") if (path / "Python.framework").is_dir()}


def _libraries(versions: Path) -> tuple[tuple[str, str], ...]:
    """What ``VERSIONS`` says of libraries: lines of a name, a colon and a version below its heading."""
    try:
        lines = versions.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    pairs = (line.partition(":") for line in lines)
    about_itself = ("python version", "build", "min", "---")
    return tuple(
        (name.strip(), value.strip())
        for name, colon, value in pairs
        if colon and value.strip() and not name.strip().lower().startswith(about_itself)
    )
