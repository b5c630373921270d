"""Building a wheel again from what it names, to see whether the same comes out, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from forge.base.errors import RecipeError, WheelError
from forge.base.target import DEFAULT_IOS_VERSION, Target, select_targets
from forge.ios_python.interface import known_minors
from forge.plan.builds import build_requests
from forge.plan.cache import read_inputs
from forge.plan.closure import closure
from forge.plan.explain import as_json, changed
from forge.plan.fingerprint import step_inputs
from forge.plan.provision import plan_context
from forge.plan.request import Request, RunOptions
from forge.plan.wheel_differences import Difference, wheel_differences
from forge.wheel.contents import read_wheel
from forge.wheel.name import parse_wheel_name
from forge.wheel.sbom_read import is_sbom, read_sbom
from forge.wheel.tags import parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore
    from forge.wheel.contents import WheelContents


@dataclass(frozen=True)
class Rebuilt:
    """A wheel that was built again.

    Args:
        wheel: The wheel that was to be built again.
        again: The new one.
        differences: Where they differ; empty if they are equal.
    """

    wheel: Path
    again: Path
    differences: tuple[Difference, ...]


def rebuild(
    wheel: Path, home: ForgeHome, store: RecipeStore, out: Path, progress: Progress, *,
    variants: Collection[str] = (), jobs: int | None = None,
) -> Rebuilt:  # fmt: skip
    """Build a wheel again, from its recipe, for its target and Python, and compare.

    What it links is taken from the cache; it itself is not, and what comes out is not kept there.

    Args:
        wheel: The wheel, one that forge built.
        home: The cache.
        store: Where its recipe and those of what it requires are.
        out: A directory for the new wheel, where the old one is not.
        progress: Receives progress updates.
        variants: The variants that it was built with.
        jobs: How many processes may run at once; None for as many as there are CPUs.

    Raises:
        WheelError: It is not a wheel that forge can build again.
        RecipeError: There is no recipe for it, or it is for another version.
        ForgeError: It cannot be built.
    """
    contents = read_wheel(wheel)
    recipe = recipe_of(contents, store)
    target, minor = target_of(contents), python_of_wheel(contents)
    if (out / wheel.name).exists():
        raise WheelError(f"{out / wheel.name} is there already", hint="name another directory with --out")
    context = plan_context(home, minor, [target])
    steps = closure([recipe], target, minor, store, variants)
    inputs = step_inputs(steps, context)[recipe.normalized_name]
    before = read_inputs(home, wheel.parent.name) if wheel.parent.parent.parent == home.wheels else as_json(inputs)
    if before is not None and (changes := [change.what for change in changed(before, as_json(inputs))]):
        raise WheelError(
            f"{wheel.name} was built from other inputs than it would be built from now: {', '.join(changes[:5])}",
            hint="check out forge and the recipes as they were when the wheel was built",
        )
    results = build_requests(
        [Request(steps, target, context)], store, out, progress,
        RunOptions(variants, jobs, follow=False, afresh={recipe.normalized_name}),
    )  # fmt: skip
    project = contents.name.canonical_distribution
    again = next(
        result.wheel for result in results if parse_wheel_name(result.wheel.name).canonical_distribution == project
    )
    return Rebuilt(wheel, again, wheel_differences(wheel, again))


def recipe_of(contents: WheelContents, store: RecipeStore) -> Recipe:
    """The recipe that builds a wheel.

    Raises:
        RecipeError: There is none, or it is for another version.
    """
    name, version = contents.metadata.name, contents.metadata.version
    recipe = store.load(canonicalize_name(name))
    if Version(recipe.version) != Version(version):
        raise RecipeError(
            f"the recipe of {recipe.name} builds {recipe.version}, not {version}",
            hint="check out the recipes as they were when the wheel was built, and name them with --recipes",
        )
    return recipe


def target_of(contents: WheelContents) -> Target:
    """What a wheel is for; the first target for a pure one, which is the same for all.

    Raises:
        WheelError: It is for another system.
    """
    platforms = contents.name.platforms
    found = [parse_platform_tag(platform) for platform in platforms if platform.startswith("ios_")]
    if found:
        return found[0]
    if tuple(platforms) == ("any",):
        return select_targets(ios_version=DEFAULT_IOS_VERSION)[0]
    raise WheelError(f"{contents.path.name} is not for iOS", hint="pass a wheel that forge built")


def python_of_wheel(contents: WheelContents) -> str:
    """The minor version of the Python that a wheel was built for.

    One for the stable ABI may be tagged for an older Python than any that forge builds for (``cp39-abi3``), and one
    without modules for none: then its bill of materials says which it was, and else it is the oldest.

    Raises:
        WheelError: forge builds for no such Python.
    """
    minors = known_minors()
    pythons = {f"cp{minor.replace('.', '')}": minor for minor in minors}
    tags = contents.name.pythons
    for tag in tags:
        if tag in pythons:
            return pythons[tag]
    if "py3" in tags or "abi3" in contents.name.abis:
        return next((minor for minor in _named_pythons(contents) if minor in minors), minors[0])
    raise WheelError(
        f"{contents.path.name} is for {'.'.join(tags)}, which forge does not build for",
        hint=f"forge builds for Python {', '.join(minors)}",
    )


def _named_pythons(contents: WheelContents) -> Iterator[str]:
    for member in contents.members:
        if is_sbom(member.path):
            for component in read_sbom(member.path, contents.read(member.path)).components:
                if component.name == "cpython":
                    yield component.version


def render_differences(differences: Iterable[Difference]) -> str:
    """Differences as text: a line each, and what is known of it below, indented."""
    lines: list[str] = []
    for each in differences:
        lines.append(f"  {each.member}: {each.what}" if each.member else f"  {each.what}")
        lines += [f"      {line}" for line in each.lines]
    return "\n".join(lines)


def wheels_in(places: Iterable[Path]) -> list[Path]:
    """The wheels of files and directories, sorted by name, each name once."""
    found: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.rglob("*.whl")) if place.is_dir() else [place]:
            found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]
