"""A build as plain data that another machine can run, and its answer.

Both are dictionaries of strings, numbers, bytes and lists: another version of forge reads enough of them to refuse.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import forge
from forge.audit.finding import Finding
from forge.base.errors import RecipeError
from forge.base.severity import Severity
from forge.base.target import IOSVersion, parse_multiarch
from forge.base.trees import local_files
from forge.plan.cache import find_wheel
from forge.plan.fingerprint import code_digest
from forge.plan.provision import PlannedContext
from forge.recipe.evaluate import evaluate
from forge.recipe.model import RECIPE_NAME, PathPin
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forge.base.target import Target
    from forge.crossbuild.host_prefix import HostPackage
    from forge.plan.executor import Order
    from forge.plan.provision import Context
    from forge.recipe.model import EvaluatedRecipe

FORMAT = 1
"""Of jobs and answers; a worker refuses any other."""


@dataclass(frozen=True)
class PackedFile:
    """A file or a symbolic link.

    Args:
        name: Its path below what was packed; empty if that is the file itself.
        kind: ``file``, ``program`` (a file that may be run) or ``link``.
        modified: When it was changed, in nanoseconds: make goes by it.
        content: What is in it; where a link leads to.
    """

    name: str
    kind: str
    modified: int
    content: bytes


@dataclass(frozen=True)
class Host:
    """A host requirement of a job.

    Args:
        name: The recipe's name, normalised.
        version: Its version.
        fingerprint: Its fingerprint.
        is_native_library: Whether it is a native library rather than a Python package.
        license: The recipe's SPDX expression, or an empty string.
        filename: The wheel's name.
        wheel: The wheel, if the shared cache does not have it; else None.
        warnings: What its check found that is no error (`forge.audit.finding.Finding`), as JSON data.
    """

    name: str
    version: str
    fingerprint: str
    is_native_library: bool
    license: str
    filename: str
    wheel: bytes | None
    warnings: tuple[Mapping[str, Any], ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        """The warnings as a check gives them."""
        return tuple(
            Finding(**{**each, "severity": Severity(each["severity"]), "symbols": tuple(each["symbols"])})
            for each in self.warnings
        )


@dataclass(frozen=True)
class Job:
    """A build.

    Args:
        subject: What it is called on the screen.
        name: What it is called in the cache.
        fingerprint: Its fingerprint; the worker's must be the same.
        inputs: What that covers, to tell what differs.
        directory: The name of the recipe's directory.
        recipe: What is in it.
        source: The local source; empty if the recipe names none.
        target: What is built for: multiarch and minimum iOS version.
        targets: What the iOS Python is to be for, likewise.
        python: Python's version, as it was asked for.
        minor: Python's major.minor.
        provider: Where the iOS Python is to come from; None takes the first that is there.
        variants: The variants that were chosen.
        hosts: The host requirements, including indirect ones.
    """

    subject: str
    name: str
    fingerprint: str
    inputs: Mapping[str, Any]
    directory: str
    recipe: tuple[PackedFile, ...]
    source: tuple[PackedFile, ...]
    target: tuple[str, str]
    targets: tuple[tuple[str, str], ...]
    python: str
    minor: str
    provider: str | None
    variants: tuple[str, ...]
    hosts: tuple[Host, ...]


def make_job(order: Order, is_shared: Callable[[str], bool]) -> Job:
    """What a worker needs to know of a build.

    Args:
        order: The build.
        is_shared: Whether the shared cache has the wheel of a fingerprint: others travel with the job.

    Raises:
        RecipeError: A file of the recipe cannot be read.
    """
    recipe, context = order.recipe, order.context
    directory = recipe.recipe.directory
    source = Path(recipe.source.path) if isinstance(recipe.source, PathPin) else None
    python, targets, provider = _asked(context, recipe.target)
    try:
        return Job(
            subject=order.wanted.subject,
            name=order.wanted.name,
            fingerprint=order.wanted.fingerprint,
            inputs=json.loads(json.dumps(order.inputs)),
            directory=directory.name,
            recipe=_pack(directory, without=source),
            source=() if source is None else _pack(source),
            target=_written(recipe.target),
            targets=tuple(map(_written, targets)),
            python=python,
            minor=recipe.python,
            provider=provider,
            variants=recipe.variants,
            hosts=tuple(_host(package, context, is_shared) for package in order.host),
        )
    except OSError as error:
        raise RecipeError(
            f"cannot read {error.filename or directory}: {error.strerror}", hint=f"it belongs to {recipe.name}"
        ) from error


def to_data(job: Job) -> dict[str, Any]:
    """A job as plain data."""
    return {"format": FORMAT, "forge": forge.__version__, "code": code_digest(), "job": asdict(job)}


def from_data(data: Mapping[str, Any]) -> Job | str:
    """A job that was made by the same code; otherwise in what that code differs."""
    if data.get("format") != FORMAT or data.get("forge") != forge.__version__:
        return f"forge {data.get('forge')} asks, forge {forge.__version__} is installed there"
    if data.get("code") != code_digest():
        return f"both are forge {forge.__version__}, but their code or the libraries that take part differ"
    job: dict[str, Any] = dict(data["job"])
    files = {name: tuple(PackedFile(**file) for file in job[name]) for name in ("recipe", "source")}
    return Job(**{**job, **files, "hosts": tuple(Host(**host) for host in job["hosts"])})


def unpack_recipe(job: Job, into: Path) -> EvaluatedRecipe:
    """Write a job's recipe and local source into an empty directory, and evaluate it.

    Raises:
        RecipeError: It is wrong.
        OSError: It cannot be written.
    """
    directory = into / "recipes" / job.directory
    _unpack(job.recipe, directory)
    recipe = read_recipe(directory / RECIPE_NAME)
    evaluated = evaluate(recipe, target_of(job.target), job.minor, job.variants)
    if not isinstance(evaluated.source, PathPin):
        return evaluated
    # An archive keeps its name, by which its kind is known.
    source = into / "source" / Path(evaluated.source.path).name
    _unpack(job.source, source)
    return replace(evaluated, source=PathPin(str(source.resolve())))


def target_of(written: tuple[str, str]) -> Target:
    """A target, from a job."""
    return parse_multiarch(written[0], IOSVersion.parse(written[1]))


def _written(target: Target) -> tuple[str, str]:
    return target.multiarch, str(target.ios_version)


def _asked(context: Context, target: Target) -> tuple[str, tuple[Target, ...], str | None]:
    if isinstance(context, PlannedContext):
        return context.version, context.targets, None if context.provider is None else context.provider.value
    return context.python.full_version, (target,), None


def _host(package: HostPackage, context: Context, is_shared: Callable[[str], bool]) -> Host:
    cached = find_wheel(context.home, package.fingerprint)
    return Host(
        str(package.name), package.version, package.fingerprint, package.is_native_library, package.license,
        package.wheel.name, None if is_shared(package.fingerprint) else package.wheel.read_bytes(),
        () if cached is None else tuple(json.loads(json.dumps([asdict(each) for each in cached.warnings]))),
    )  # fmt: skip


def _pack(path: Path, *, without: Path | None = None) -> tuple[PackedFile, ...]:
    """A directory's files, counted as a local source's are; or one file."""
    if not path.is_dir():
        return (_packed(path, ""),)
    names = [name for name in local_files(path) if without is None or not (path / name).is_relative_to(without)]
    return tuple(_packed(path / name, name) for name in names)


def _packed(path: Path, name: str) -> PackedFile:
    status = path.lstat() if name else path.stat()
    if name and path.is_symlink():
        return PackedFile(name, "link", status.st_mtime_ns, os.fsencode(path.readlink()))
    return PackedFile(name, "program" if status.st_mode & 0o100 else "file", status.st_mtime_ns, path.read_bytes())


def _unpack(files: Sequence[PackedFile], place: Path) -> None:
    is_file = bool(files) and not files[0].name
    (place.parent if is_file else place).mkdir(parents=True)
    for file in files:
        path = place / file.name if file.name else place
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.kind == "link":
            path.symlink_to(os.fsdecode(file.content))
        else:
            path.write_bytes(file.content)
            path.chmod(0o755 if file.kind == "program" else 0o644)
        os.utime(path, ns=(file.modified, file.modified), follow_symlinks=False)
