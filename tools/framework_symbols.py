"""Write ``forge/toolchain/data/symbols/frameworks/*.txt``: the names that the public frameworks of iOS declare.

Of a few plain libraries (`LIBRARIES`) it writes ``forge/toolchain/data/symbols/*.json``.

Run once for each new release of either source:

    python tools/framework_symbols.py DIRECTORY_OF_CRATES TYPES_TARBALL

The directory holds the packages (``*.crate``) of the crates ``objc2-*`` that bind Apple's frameworks; ``cargo fetch``
leaves them in ``registry/cache`` of its home. The tarball is the npm package ``@nativescript/types-ios``, as ``npm
pack`` gets it. Both are generated from Apple's headers, and both are needed:

- The crates know a function from a constant and a constant from an enumerator, and what macOS has as well. They do not
  say which of their names iOS has; only of a whole framework does ``translation-config.toml`` say since when.
- The type declarations are those of iOS alone, with the version that introduced each name. They tell a constant from an
  enumerator by its type only, and have no function with a variable number of arguments.

A name goes into a framework's list if iOS declares it, and the crates (where there is one for the framework) say what
it is. What the crates have and iOS's declarations lack goes into the section ``elsewhere``: it is macOS's alone, or
newer than the declarations, and no stub has it. `UNDECLARED` is for frameworks that the declarations leave out, because
the simulator that they were made for does not have them.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.hashing import file_sha256
from forge.toolchain.data import data_path
from forge.toolchain.frameworks import framework_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OUTPUT = data_path("symbols") / "frameworks"

LIBRARIES = {"SQLite3": "libsqlite3", "Compression": "libcompression"}
"""Modules of the declarations that are plain libraries."""

UNDECLARED = frozenset(
    {"Cinematic", "LocalAuthenticationEmbeddedUI", "MLCompute", "MediaSetup", "MetalFX", "ThreadNetwork"}
)
"""Frameworks of iOS that the declarations lack as a whole: every name of the crate counts."""

UNDECLARED_CLASSES = frozenset({"MetalPerformanceShaders"})
"""Likewise, but the functions are declared."""

INLINE = re.compile(r"(__)?(CF|CG|NS|MTL|MPS)\w*Make|NSMakeCollectable|CFMakeCollectable|__CFStringMakeConstantString")
"""Functions that the declarations list and the headers define: no library exports them."""

BLAS = re.compile(r"(cblas|catlas|clapack|appleblas|SetBLAS|BLASSet|BLASGet|la_)\w*|[a-z0-9]+_")
"""What the recipe ``accelerate`` has, by the interface of iOS 16.4, and the linear algebra that was removed."""

LATER = {
    # Foundation's own headers declare them; until iOS 12 CFNetwork alone had them.
    ("Foundation", "NSURLSessionTaskMetrics"): "13.0",
    ("Foundation", "NSURLSessionTaskTransactionMetrics"): "13.0",
}
"""Names that came to the library of the framework that declares them later than their declarations say."""

OLDEST = 12
"""The lowest iOS that forge knows; earlier versions are not told apart."""

LAST_OF_OLD_NUMBERS, FIRST_OF_NEW_NUMBERS = 18, 26
"""iOS 18 was followed by iOS 26, which some headers of the time still call 19."""

MOST_MINOR = 9
"""Installers know no minor version above it."""


@dataclass
class Names:
    """Names of one framework: C names to the iOS version that introduced each, or None."""

    functions: dict[str, str | None] = field(default_factory=dict)
    constants: dict[str, str | None] = field(default_factory=dict)
    classes: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Crate:
    """What one crate binds.

    Args:
        framework: The framework's name.
        on_ios: Whether iOS has the framework.
        names: The names.
    """

    framework: str
    on_ios: bool
    names: Names


def main() -> None:
    """Read, merge, write."""
    packages = sorted(Path(sys.argv[1]).glob("objc2-*.crate"))
    tarball = Path(sys.argv[2])
    crates: dict[str, Names] = {}
    sources: list[str] = []
    for package in packages:
        crate, licence = read_crate(package)
        if crate is not None and crate.on_ios and crate.framework in framework_entries():
            crates[crate.framework] = crate.names
            sources.append(source_line(package.name.removesuffix(".crate"), package, licence))
    declared = dict(read_types(tarball))
    sources.append(source_line(tarball.name.removesuffix(".tgz"), tarball, "Apache-2.0"))
    OUTPUT.mkdir(exist_ok=True)
    for old in OUTPUT.glob("*.txt"):
        old.unlink()
    constants = {name for names in crates.values() for name in names.constants}
    total: dict[str, int] = defaultdict(int)
    entries = framework_entries()
    wanted = {*entries, *(name for entry in entries.values() for name in entry.also)}
    for framework in sorted({*crates, *declared} & wanted):
        names, elsewhere = merge(framework, crates.get(framework), declared, constants)
        if any((names.functions, names.constants, names.classes, elsewhere)):
            (OUTPUT / f"{framework}.txt").write_text(render(names, elsewhere), encoding="utf-8")
        for kind in ("functions", "constants", "classes"):
            total[kind] += len(getattr(names, kind))
        total["elsewhere"] += len(elsewhere)
    for module, library in LIBRARIES.items():
        names = _as_listed(module, declared[module])
        symbols = {f"_{name}": since for name, since in sorted({**names.functions, **names.constants}.items())}
        text = json.dumps({"symbols": symbols, "only": {}, "unavailable": []}, indent=0, separators=(",", ":"))
        (OUTPUT.parent / f"{library}.json").write_text(text + "\n", encoding="utf-8")
    (OUTPUT / "sources.tsv").write_text("\n".join(["source\tsha256\tlicence", *sources, ""]), encoding="utf-8")
    print(dict(total))


def source_line(name: str, file: Path, licence: str) -> str:
    """A row of ``sources.tsv``."""
    return f"{name}\t{file_sha256(file)}\t{licence}"


def read_crate(package: Path) -> tuple[Crate | None, str]:
    """What a crate binds, and its licence; None if it binds no framework."""
    names, config, licence = Names(), None, ""
    with tarfile.open(package) as archive:
        for member in archive:
            _, _, path = member.name.partition("/")
            file = archive.extractfile(member)
            if file is None:
                continue
            if path == "translation-config.toml":
                config = tomllib.loads(file.read().decode())
            elif path == "Cargo.toml":
                licence = tomllib.loads(file.read().decode())["package"]["license"]
            elif path.startswith("src/") and path.endswith(".rs") and "/tests/" not in path:
                read_rust(file.read().decode(), names)
    if config is None or "framework" not in config:
        return None, licence
    return Crate(config["framework"], "ios" in config, names), licence


def read_rust(text: str, names: Names) -> None:
    """Add the names that a Rust source declares (``extern "C"`` blocks, ``extern_class!``)."""
    text = re.sub(r"//[^\n]*", "", text)
    for block in re.findall(r'extern "C(?:-unwind)?" \{(.*?)\n\s*\}', text, flags=re.DOTALL):
        names.functions.update(dict.fromkeys(re.findall(r"\bfn (\w+)\s*\(", block)))
        names.constants.update(dict.fromkeys(re.findall(r"\bstatic (?:mut )?(\w+)\s*:", block)))
    for block in re.findall(r"extern_class!\((.*?)\n\);", text, flags=re.DOTALL):
        named = re.search(r'name = "(\w+)"', block) or re.search(r"pub struct (\w+)", block)
        if named is not None:
            names.classes[named[1]] = None


def read_types(tarball: Path) -> Iterator[tuple[str, Names]]:
    """Every module of the type declarations: its name, and what it declares."""
    with tarfile.open(tarball) as archive:
        for member in archive:
            found = re.search(r"/objc!(\w+)\.d\.ts$", member.name)
            file = archive.extractfile(member)
            if found is not None and file is not None:
                yield found[1], read_declarations(file.read().decode())


def read_declarations(text: str) -> Names:
    """What one module declares."""
    names = Names()
    since: str | None = None
    for line in text.splitlines():
        if found := re.match(r" \* @since ([\d.]+)", line):
            since = found[1]
        elif line.startswith("/**"):
            since = None
        elif found := re.match(r"declare (function|class|var) (\w+)(: (.*))?", line):
            kind, name, kind_of_value = found[1], found[2], found[4] or ""
            if kind == "function":
                names.functions.setdefault(name, since)
            elif kind == "class":
                names.classes.setdefault(name, since)
            elif not kind_of_value.startswith(("{", "interop.StructType")):  # protocols and structures
                names.constants.setdefault(name, since)
            since = None
        elif line.strip() and not line.startswith((" *", "\t")):
            since = None
    # A name that several headers declare has copies with a suffix.
    names.functions = {
        name: since
        for name, since in names.functions.items()
        if re.sub(r"Function\d?$", "", name) == name or re.sub(r"Function\d?$", "", name) not in names.functions
    }
    return names


def merge(
    framework: str, crate: Names | None, declared: dict[str, Names], constants: set[str]
) -> tuple[Names, list[str]]:
    """A framework's names, and those that the crate has and iOS's declarations lack.

    Args:
        framework: The framework.
        crate: What the crate for it binds, if there is one.
        declared: What each module declares.
        constants: The constants of all crates.
    """
    own = declared.get(framework, Names())
    functions = {n: s for n, s in own.functions.items() if INLINE.fullmatch(n) is None}
    if framework == "Accelerate":
        functions = {n: s for n, s in functions.items() if BLAS.fullmatch(n) is None}
    if crate is None:
        # The values of enumerators and macros are numbers; Apple's extern constants start with k.
        values = {n: s for n, s in own.constants.items() if n.startswith("k")}
        return _as_listed(framework, Names(functions, values, own.classes)), []
    values = {n: s for n, s in own.constants.items() if n in constants}
    values.update({n: None for n in crate.constants if re.search(r"Version(Number|String)$", n)})
    names = Names(functions, values, dict(own.classes))
    if framework in UNDECLARED:
        names = Names(dict(crate.functions), {**crate.constants, **values}, dict(crate.classes))
    elif framework in UNDECLARED_CLASSES:
        names.classes.update(crate.classes)
    everywhere = {n for d in declared.values() for n in (*d.functions, *d.constants, *d.classes)}
    every = {*names.functions, *names.constants, *names.classes, *everywhere}
    lacking = [n for n in (*crate.functions, *crate.constants) if n not in every]
    lacking += [f"@{n}" for n in crate.classes if n not in every]
    return _as_listed(framework, names), sorted(lacking)


def _as_listed(framework: str, names: Names) -> Names:
    """Without versions that say nothing, and with those of `LATER`."""

    def listed(found: dict[str, str | None]) -> dict[str, str | None]:
        with_later = {name: LATER.get((framework, name), since) for name, since in found.items()}
        return {name: _listed_version(since) for name, since in with_later.items()}

    return Names(listed(names.functions), listed(names.constants), listed(names.classes))


def _listed_version(since: str | None) -> str | None:
    """The lowest version that a wheel's tag can name and that has a name; None for those that every wheel is for."""
    major, minor, patch = [*map(int, (since or "0").split(".")), 0, 0][:3]
    major, minor, patch = (
        (FIRST_OF_NEW_NUMBERS, 0, 0) if LAST_OF_OLD_NUMBERS < major < FIRST_OF_NEW_NUMBERS else (major, minor, patch)
    )
    minor += patch > 0
    major, minor = (major + 1, 0) if minor > MOST_MINOR else (major, minor)
    return f"{major}.{minor}" if (major, minor) > (OLDEST, 0) else None


def render(names: Names, elsewhere: Iterable[str]) -> str:
    """A data file: sections of names, each name with the iOS version that introduced it, if later than 12.0."""
    lines: list[str] = []
    for section in ("functions", "constants", "classes"):
        found: dict[str, str | None] = getattr(names, section)
        lines.append(f"[{section}]")
        lines.extend(name if since is None else f"{name} {since}" for name, since in sorted(found.items()))
    return "\n".join([*lines, "[elsewhere]", *elsewhere, ""])


if __name__ == "__main__":
    main()
