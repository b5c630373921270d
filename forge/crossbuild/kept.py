"""Work directories that were kept: which build each is of, and what its source tree held before anything ran in it.

A build that fails leaves its work directory, and so does one that a person entered or continued. ``build.json`` in it
says which build it is; it is written once everything is prepared, so a directory without it cannot be entered.
``files.json`` tells a person's edits of the source from what the build did to it.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.base.atomic import atomic_file
from forge.base.errors import BuildError
from forge.base.hashing import fingerprint
from forge.base.manifest import changed_since, tree_manifest
from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.crossbuild.enter import SCRIPT
from forge.recipe.digest import digest_input

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.base.paths import ForgeHome
    from forge.crossbuild.host_prefix import HostPackage
    from forge.recipe.model import EvaluatedRecipe

_RECORD = "build.json"
_FILES = "files.json"


@dataclass(frozen=True)
class KeptBuild:
    """A work directory, and the build that it is of.

    Args:
        work: The directory.
        key: The build's fingerprint.
        subject: The build's name in messages.
        name: The recipe's, normalised.
        version: The package's.
        target: What it is built for.
        native: Whether that matters: a pure wheel is the same for all targets.
        python: Python's major.minor.
        variants: The variants that were chosen.
        host: The fingerprints of the host requirements.
        source: The hash of what says where the source is from.
        patches: The sha256 of each patch that was applied to it.
        log: The log of the last run.
        commands: What the back end runs, for people.
    """

    work: Path
    key: str
    subject: str
    name: str
    version: str
    target: Target
    native: bool
    python: str
    variants: tuple[str, ...]
    host: tuple[str, ...]
    source: str
    patches: tuple[str, ...]
    log: Path
    commands: tuple[str, ...]

    @property
    def tree(self) -> Path:
        """The source tree."""
        return source_tree(self.work, self.name, self.version)

    @property
    def enter(self) -> Path:
        """The script that enters it."""
        return self.work / SCRIPT


@dataclass(frozen=True)
class TreeFiles:
    """What is known of a source tree's files: manifests (`forge.base.manifest`).

    Args:
        prepared: What was in it when it had been unpacked and patched.
        built: What builds made of it, the last state of each file that any of them wrote.
        own: What `forge.crossbuild.finish.own_files` found in it then.
    """

    prepared: dict[str, str]
    built: dict[str, str] = field(default_factory=dict)
    own: frozenset[str] = frozenset()


def path_version(version: str) -> str:
    """A version as part of a path: an epoch's ``!`` (PEP 440) has a meaning to shells and to some build tools."""
    return version.replace("!", ".")


def source_tree(work: Path, name: str, version: str) -> Path:
    """Where a work directory's source tree is."""
    return work / f"{name}-{path_version(version)}"


def source_identity(recipe: EvaluatedRecipe) -> tuple[str, tuple[str, ...]]:
    """What tells a recipe's source from another, and the sha256 of each of its patches.

    Raises:
        RecipeError: A patch or a local source cannot be read.
    """
    digest: dict[str, Any] = digest_input(recipe)
    return fingerprint(digest["source"]), tuple(sha256 for _, sha256 in digest["patches"])


def describe_build(
    recipe: EvaluatedRecipe, work: Path, *, key: str, subject: str, host: Sequence[HostPackage], log: Path,
    commands: Sequence[str],
) -> KeptBuild:  # fmt: skip
    """The description of a build whose work directory may be kept.

    Args:
        recipe: Evaluated for the target.
        work: The directory.
        key: The build's fingerprint.
        subject: The build's name in messages.
        host: The host requirements.
        log: The log.
        commands: What the back end runs.
    """
    source, patches = source_identity(recipe)
    return KeptBuild(
        work, key, subject, recipe.normalized_name, recipe.version, recipe.target, recipe.native, recipe.python,
        recipe.variants, host_identity(host), source, patches, log, tuple(commands),
    )  # fmt: skip


def host_identity(host: Sequence[HostPackage]) -> tuple[str, ...]:
    """What tells host requirements from others."""
    return tuple(package.fingerprint for package in host)


def write_kept(kept: KeptBuild, files: TreeFiles) -> None:
    """Say in a work directory which build it is of.

    Args:
        kept: The build.
        files: The files of its source tree.
    """
    _write_files(kept.work, files)
    data = asdict(kept) | {
        "work": None, "log": str(kept.log),
        "target": [str(kept.target.abi), str(kept.target.arch), str(kept.target.ios_version)],
    }  # fmt: skip
    with atomic_file(kept.work / _RECORD) as file:
        file.write(json.dumps(data, indent=2).encode())


def kept_builds(home: ForgeHome, name: str) -> tuple[KeptBuild, ...]:
    """The work directories of a recipe's builds that can be entered, the newest first.

    Args:
        home: The cache.
        name: The recipe's, normalised.
    """
    found = [(when, kept) for when, kept in _kept(home) if kept.name == name]
    return tuple(kept for _, kept in sorted(found, key=lambda each: each[0], reverse=True))


def read_files(kept: KeptBuild) -> TreeFiles:
    """What is known of a kept build's source tree.

    Raises:
        BuildError: The work directory is damaged.
    """
    try:
        data: dict[str, Any] = json.loads((kept.work / _FILES).read_text(encoding="utf-8"))
        return TreeFiles(dict(data["prepared"]), dict(data["built"]), frozenset(data["own"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(
            f"the work directory {kept.work} is damaged: {_FILES} cannot be read",
            hint=f"start again with 'forge build {kept.name}'",
        ) from error


def note_built(kept: KeptBuild, before: dict[str, str]) -> None:
    """Note what a run of the back end did to a source tree, so that it is not taken for a person's edits.

    Args:
        kept: The build.
        before: The tree's manifest before the run.
    """
    with contextlib.suppress(OSError, BuildError):  # the build's own error is what the user has to see
        files = read_files(kept)
        built = files.built | changed_since(before, tree_manifest(kept.tree))
        _write_files(kept.work, TreeFiles(files.prepared, built, files.own))


def _write_files(work: Path, files: TreeFiles) -> None:
    with atomic_file(work / _FILES) as file:
        file.write(json.dumps(asdict(files) | {"own": sorted(files.own)}).encode())


def _kept(home: ForgeHome) -> Iterator[tuple[float, KeptBuild]]:
    for record in home.work.glob(f"*/{_RECORD}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # a directory that is being removed
            data: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
            abi, arch, ios_version = data["target"]
            data |= {
                "work": record.parent,
                "log": Path(data["log"]),
                "target": Target(Abi(abi), Arch(arch), IOSVersion.parse(ios_version)),
                **{name: tuple(data[name]) for name in ("variants", "host", "patches", "commands")},
            }
            if (kept := KeptBuild(**data)).tree.is_dir() and kept.enter.is_file():
                yield record.stat().st_mtime, kept
