"""Which wheels go into which tree: the device's, the simulator's with both architectures."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import WheelError
from forge.base.target import Abi, Arch, Target
from forge.frameworks.findings import FrameworksError
from forge.wheel.contents import WheelContents, read_wheel
from forge.wheel.tags import installs, parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from packaging.version import Version

    from forge.wheel.name import WheelName

_VERSIONED = re.compile(r"cp3\d+t?", flags=re.ASCII)


@dataclass(frozen=True)
class PlannedWheel:
    """A wheel and what it is for.

    Args:
        contents: The wheel.
        target: Its platform tag's target, at the lowest version; None for a pure wheel.
    """

    contents: WheelContents
    target: Target | None


@dataclass(frozen=True)
class Package:
    """A project's wheels for one tree.

    Args:
        name: In PEP 503's normal form.
        wheels: A pure one, or one for each of the tree's architectures.
    """

    name: str
    wheels: tuple[PlannedWheel, ...]

    @property
    def version(self) -> Version:
        """Of each of them."""
        return self.wheels[0].contents.name.version


@dataclass(frozen=True)
class TreePlan:
    """One ABI's tree.

    Args:
        abi: Whose.
        arches: What its binaries are for, sorted.
        packages: Sorted by name.
    """

    abi: Abi
    arches: tuple[Arch, ...]
    packages: tuple[Package, ...]


def plan_trees(wheels: Iterable[Path], abis: Sequence[Abi] | None = None) -> tuple[TreePlan, ...]:
    """Sort wheels into trees.

    Args:
        wheels: For devices and simulators, and pure ones.
        abis: The trees wanted; None for those that there are native wheels for (all, if every wheel is pure).

    Raises:
        WheelError: One cannot be read or is for no iOS target.
        FrameworksError: They do not go together; the message has every reason.
    """
    planned = [_planned(path) for path in dict.fromkeys(wheels)]
    native = {one.target.abi for one in planned if one.target}
    wanted = tuple(abi for abi in Abi if abi in (native or Abi)) if abis is None else tuple(abis)
    problems = [*_version_problems(planned), *_python_problems(planned)]
    by_name: dict[str, list[PlannedWheel]] = defaultdict(list)
    for one in planned:
        by_name[one.contents.name.canonical_distribution].append(one)
    plans = [_tree_plan(abi, by_name, problems) for abi in wanted]
    if problems:
        raise FrameworksError("\n".join(dict.fromkeys(problems)), hint=_HINT)
    return tuple(plans)


_HINT = (
    "give one wheel of each project for each target, all for one Python; --abi narrows what is made, and without any "
    "x86_64 wheel the simulator's tree is for arm64 alone"
)


def _planned(path: Path) -> PlannedWheel:
    contents = read_wheel(path)
    platforms = contents.name.platforms
    if platforms == ("any",):
        return PlannedWheel(contents, None)
    try:
        targets = [parse_platform_tag(platform) for platform in platforms]
    except WheelError as error:
        raise WheelError(f"{path.name}: {error.message}", hint=error.hint) from error
    if len({target.multiarch for target in targets}) > 1:
        raise FrameworksError(f"{path.name}: one wheel for several targets", hint="make one wheel for each target")
    return PlannedWheel(contents, min(targets))


def _version_problems(planned: Sequence[PlannedWheel]) -> list[str]:
    versions: dict[str, set[Version]] = defaultdict(set)
    for one in planned:
        versions[one.contents.name.canonical_distribution].add(one.contents.name.version)
    return [
        f"{name}: wheels of versions {', '.join(map(str, sorted(found)))}"
        for name, found in sorted(versions.items())
        if len(found) > 1
    ]


def _python_problems(planned: Sequence[PlannedWheel]) -> list[str]:
    """Wheels for one Python each, such as cp313, must be for the same, which must install those for several."""
    users: dict[str, str] = {}
    for one in planned:
        found = [abi for abi in one.contents.name.abis if _VERSIONED.fullmatch(abi)]
        if len(found) == len(one.contents.name.abis) == 1:
            users.setdefault(found[0], one.contents.name.filename)
    if len(users) > 1:
        return ["wheels for different Pythons: " + ", ".join(f"{tag} ({name})" for tag, name in sorted(users.items()))]
    names = [one.contents.name for one in planned]
    # Without a wheel that names its Python, any that installs all of them will do.
    pythons = sorted(users) or [f"cp3{minor}{threads}" for minor in _MINORS for threads in ("", "t")]
    if any(all(_is_installed_by(python, name) for name in names) for python in pythons):
        return []
    stable = [name for name in names if not users or not _is_installed_by(pythons[0], name)]
    if users:
        return [f"{name.filename} is not for {pythons[0]}, and {users[pythons[0]]} is" for name in stable]
    return ["no Python installs all of " + ", ".join(sorted(name.filename for name in stable))]


_MINORS = range(13, 40)
"""Of the Pythons that there may be for iOS: 3.13 is the first."""


def _is_installed_by(python: str, name: WheelName) -> bool:
    if name.platforms == ("any",):
        return True  # which Pythons a pure wheel is for, Requires-Python says better than tags such as py3 and py311
    return any(installs(python, tag) for tag in name.tags)


def _tree_plan(abi: Abi, by_name: Mapping[str, list[PlannedWheel]], problems: list[str]) -> TreePlan:
    """One ABI's plan; *problems* gets what is wrong."""
    targets = {(t.abi, t.arch) for wheels in by_name.values() for t in (one.target for one in wheels) if t}
    arches = tuple(sorted(arch for other, arch in targets if other is abi))
    packages: list[Package] = []
    for name, wheels in sorted(by_name.items()):
        pure = [one for one in wheels if one.target is None]
        native = [one for one in wheels if one.target and one.target.abi is abi]
        if pure and {one.target.arch for one in native if one.target} < set(arches):
            native = []  # the pure wheel is what pip takes for the architecture without one, and it serves both
        chosen = native or pure
        if not chosen:
            problems.append(f"{name}: no wheel for {abi}")
            continue
        for arch in arches if native else ():
            found = [one for one in native if one.target and one.target.arch is arch]
            problems += _count_problems(name, f"{arch} {abi}", found)
        if not native:
            problems += _count_problems(name, "any platform", pure)
        packages.append(Package(name, tuple(sorted(chosen, key=_by_arch))))
    return TreePlan(abi, arches or _ALL_ARCHES[abi], tuple(packages))


_ALL_ARCHES = {Abi.IPHONEOS: (Arch.ARM64,), Abi.IPHONESIMULATOR: (Arch.ARM64, Arch.X86_64)}


def _by_arch(one: PlannedWheel) -> str:
    return one.target.arch if one.target else ""


def _count_problems(name: str, what: str, found: Sequence[PlannedWheel]) -> list[str]:
    if not found:
        return [f"{name}: no wheel for {what}, which others have one for"]
    if len(found) > 1:
        return [f"{name}: {len(found)} wheels for {what}: {', '.join(o.contents.name.filename for o in found)}"]
    return []
