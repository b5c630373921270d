"""What of a recipe can change the wheel, as JSON data for fingerprints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import RecipeError
from forge.base.hashing import file_sha256
from forge.base.trees import local_sha256
from forge.recipe.diagnostics import shown_path
from forge.recipe.model import GitPin, PathPin, SdistPin, UrlPin

if TYPE_CHECKING:
    from forge.base.target import Target
    from forge.recipe.model import EvaluatedRecipe, SourcePin


def digest_input(evaluated: EvaluatedRecipe) -> dict[str, object]:
    """JSON data that differs whenever an evaluated recipe could give another wheel.

    In it: the package, target, Python, the source's hash (not its address: a mirror does not matter), each
    patch's name and content in order, the lock's content, how it is built, host requirements, and what
    the wheel promises, so that a wheel made under a weaker promise is not taken for one under a stronger. Not
    in it: ``test``, and of ``about`` the homepage and summary, but for native libraries; nor the target of a
    pure wheel, which is the same for all targets.

    Raises:
        RecipeError: A patch, the lock or a local source cannot be read.
    """
    try:
        return {
            "name": evaluated.name,  # as written: METADATA of a native library and the bill of materials have it so
            "version": evaluated.version,
            "target": _target(evaluated.target) if evaluated.native else None,
            "python": evaluated.python,
            "source": _source(evaluated.source),
            "patches": [[patch.name, file_sha256(patch)] for patch in evaluated.patches],
            "lock": file_sha256(evaluated.lock_file) if evaluated.lock_file.exists() else None,
            "backend": str(evaluated.backend),
            "requires": list(evaluated.requires),
            "config_settings": {key: list(values) for key, values in evaluated.config_settings.items()},
            "env": dict(evaluated.env),
            "languages": [str(language) for language in evaluated.languages],
            **({"options": list(evaluated.options)} if evaluated.options else {}),
            "script": list(evaluated.script),
            "host": list(evaluated.host),
            "run": list(evaluated.run),
            "license_files": list(evaluated.license_files),
            # The licence is in the bill of materials; a native library's METADATA is made of all of it.
            "about": [*vars(evaluated.about).values()] if evaluated.is_native_library else [evaluated.about.license],
            "native": evaluated.native,
            "extensions": sorted(evaluated.extensions),
            **({"libraries": sorted(evaluated.libraries)} if evaluated.libraries else {}),
        }
    except OSError as error:
        what = shown_path(Path(error.filename)) if isinstance(error.filename, str) else evaluated.name
        raise RecipeError(f"cannot read {what}: {error.strerror}", hint="the recipe names it") from error


def _target(target: Target) -> list[str]:
    return [str(target.abi), str(target.arch), str(target.ios_version)]


def _source(source: SourcePin) -> list[str]:
    match source:
        case SdistPin(sha256=sha256) | UrlPin(sha256=sha256):
            return ["sha256", sha256]
        case GitPin(revision=revision):
            return ["git", revision]
        case PathPin(path):
            return ["path", local_sha256(Path(path)) if Path(path).is_dir() else file_sha256(Path(path))]
