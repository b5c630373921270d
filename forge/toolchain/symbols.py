"""Which symbols iOS's libraries export, and since which iOS version.

The lists are data (``data/symbols/*.json``, ``data/*_helpers.yaml``): made once, from the availability annotations of
the headers and from LLVM's libc++ sources, by the scripts in ``tools/``. The SDK's stub libraries are written from
them, and the checker reads them to tell whether an import exists at a wheel's minimum iOS version.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from forge.base.target import IOSVersion
from forge.toolchain.data import data_path, load_json, load_yaml
from forge.toolchain.frameworks import FrameworkEntry, framework_entries, framework_path, read_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Symbol:
    """One exported symbol.

    Args:
        name: The linker's name, with its leading underscore.
        since: The iOS version that introduced it, where it is later than 12.0; None: it is in every supported one.
        weak: Whether it is a weak definition, which other images may override (C++'s operator new).
        only: The multiarchs that have it; empty: all.
    """

    name: str
    since: IOSVersion | None = None
    weak: bool = False
    only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Library:
    """One library of iOS, as the linker sees it.

    Args:
        file: The stub's path below an SDK's root.
        install_name: The path that a binary records (``LC_LOAD_DYLIB``).
        current_version: The library's version, as ld packs it (three numbers).
        compatibility_version: The version that a binary records as needed.
        aliases: Further stubs of the same library, by file name without ``.tbd``.
        symbols: What it exports itself.
        unavailable: Symbols that macOS's library has and iOS's has not.
        elsewhere: Symbols that macOS's headers declare and lists of iOS's lack: most are macOS's alone, some too new.
        reexports: Install names of the libraries that it gives as its own.
        is_whole: Whether *symbols* has all that may be used: another one is private or not there.
    """

    file: str
    install_name: str
    current_version: str
    compatibility_version: str
    aliases: tuple[str, ...]
    symbols: tuple[Symbol, ...]
    unavailable: frozenset[str]
    elsewhere: frozenset[str] = frozenset()
    reexports: tuple[str, ...] = ()
    is_whole: bool = True

    @property
    def is_framework(self) -> bool:
        """Whether it is a framework: its list has what declarations are known of, and may lack some."""
        return self.file.startswith("System/Library/Frameworks/")


@cache
def _since(text: str | None) -> IOSVersion | None:
    """A version later than 12.0, or None: iOS 12.0 is the lowest that forge knows."""
    if text is None or int(text.partition(".")[0]) < 12:
        return None
    version = IOSVersion.parse(text)
    return version if version > IOSVersion(12, 0) else None


def _read(name: str) -> tuple[list[Symbol], set[str]]:
    if (data_path("symbols") / f"{name}.json").is_file():
        data: dict[str, Any] = load_json(f"symbols/{name}.json")
        weak = set(data.get("weak", ()))
        symbols = [
            Symbol(symbol, _since(since), symbol in weak, frozenset(data["only"].get(symbol, ())))
            for symbol, since in data["symbols"].items()
        ]
        return symbols, set(data["unavailable"])
    groups: list[dict[str, Any]] = load_yaml(f"{name}.yaml")
    return [Symbol(s, _since(since)) for g in groups for s, since in g["symbols"].items()], set()


@cache
def libraries() -> tuple[Library, ...]:
    """Every library that the SDK has a stub for, as ``data/libraries.yaml`` and ``data/frameworks.yaml`` list them."""
    made: list[Library] = []
    for entry in load_yaml("libraries.yaml"):
        by_name, unavailable = _merged(entry["symbols"])
        made.append(
            Library(
                file=entry["file"],
                install_name=entry["install_name"],
                current_version=str(entry["current_version"]),
                compatibility_version=str(entry.get("compatibility_version", "1")),
                aliases=tuple(entry.get("aliases", ())),
                symbols=tuple(by_name[s] for s in sorted(by_name)),
                unavailable=frozenset(unavailable - by_name.keys()),
                is_whole=not entry.get("partly", False),
            )
        )
    installed = {alias: library.install_name for library in made for alias in library.aliases}
    return (*made, *(_framework(name, entry, installed) for name, entry in framework_entries().items()))


def _framework(name: str, entry: FrameworkEntry, installed: Mapping[str, str]) -> Library:
    by_name, unavailable = _merged(entry.symbols)
    lists = [read_names(each) for each in (name, *entry.also)]
    for each in lists:
        for symbol, since in each.symbols.items():
            by_name.setdefault(symbol, Symbol(symbol, _since(since)))
    return Library(
        file=f"{framework_path(name)}.tbd".removeprefix("/"),
        install_name=framework_path(name),
        current_version=entry.compatibility_version,
        compatibility_version=entry.compatibility_version,
        aliases=(),
        symbols=tuple(by_name[s] for s in sorted(by_name)),
        unavailable=frozenset(unavailable - by_name.keys()),
        elsewhere=lists[0].elsewhere - by_name.keys(),
        reexports=tuple(installed.get(each) or framework_path(each) for each in entry.reexports),
        is_whole=not entry.partly,
    )


def _merged(names: Iterable[str]) -> tuple[dict[str, Symbol], set[str]]:
    """The symbols of several lists, the first that has one counting, and what they call unavailable."""
    by_name: dict[str, Symbol] = {}
    unavailable: set[str] = set()
    for name in names:
        symbols, lacking = _read(name)
        unavailable |= lacking
        for symbol in symbols:
            by_name.setdefault(symbol.name, symbol)
    return by_name, unavailable
