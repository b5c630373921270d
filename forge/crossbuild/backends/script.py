"""Builds a native library with its recipe's commands, and packs what they install as a wheel.

The commands run one after the other in the source tree. They install into ``$DESTDIR$PREFIX``, as configure scripts and
makefiles do; what is there becomes the wheel's ``opt/`` tree. pkg-config files are made relative to their own directory
(``${pcfiledir}``, pkg-config(1)), so that they are right wherever the tree is unpacked.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from packaging.tags import Tag

from forge.base.attempts import remove_tree
from forge.base.cpus import cpu_count
from forge.base.errors import BuildError
from forge.base.process import run
from forge.base.target import Arch
from forge.crossbuild.backends.base import Prepared
from forge.recipe.lock import merge_requires
from forge.recipe.model import LIBRARY_REQUIRES
from forge.toolchain.environment import SOURCE_DATE_EPOCH
from forge.wheel.native import NATIVE_TREE
from forge.wheel.pack import pack_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.base.target import Target
    from forge.crossbuild.context import Build
    from forge.recipe.model import EvaluatedRecipe

PREFIX = "/opt"
"""The prefix that libraries are configured with; compiled files may contain it, but it does not exist on a phone."""

_PREFIX_USE = re.compile(rf"""(?:(?<=[\s=:"'])|(?<=-[ILF])){re.escape(PREFIX)}(?=["'/\s]|$)""")
_PREFIX_LINE = re.compile(r"^prefix[ \t]*=.*$", flags=re.MULTILINE)


class Script:
    """A recipe's own commands, for native libraries."""

    def requires(self, recipe: EvaluatedRecipe, tree: Path) -> tuple[str, ...]:  # noqa: ARG002 - the interface's
        """What the recipe declares, and its build system's own: the source says nothing about Python packages."""
        return merge_requires(LIBRARY_REQUIRES[recipe.backend], recipe.requires)

    def prepare(self, build: Build) -> Prepared:
        """The variables that configure scripts and makefiles read."""
        return Prepared(env=script_variables(build.target, build.work / "stage", build.host.opt))

    def commands(
        self,
        build: Build,
        config_settings: Mapping[str, Sequence[str]],  # noqa: ARG002 - the interface's
        out: Path,  # noqa: ARG002 - they install into DESTDIR
    ) -> tuple[str, ...]:
        """The recipe's commands."""
        return tuple(map(build.host.expand, build.recipe.script))

    def run(
        self,
        build: Build,
        config_settings: Mapping[str, Sequence[str]],
        env: Mapping[str, str],
        out: Path,
    ) -> Path:
        """Run the commands and pack what they install."""
        commands = self.commands(build, config_settings, out)
        return build_script(
            build.recipe, build.tree, env, build.work / "stage", out,
            commands=commands, log=build.log, subject=build.subject,
        )  # fmt: skip


def script_variables(target: Target, stage: Path, host_prefix: Path) -> dict[str, str]:
    """The commands' environment variables, in addition to those of every cross build.

    The compilers are CPython's wrappers, which are on PATH. docs/recipes.md lists the variables.
    """
    triple = target.host_triple
    return {
        "PREFIX": PREFIX,
        "DESTDIR": str(stage),
        "HOST_PREFIX": str(host_prefix),
        "JOBS": str(cpu_count()),
        # Older config.sub scripts do not know iOS; Darwin has the same ABI, and every one knows it.
        "HOST": f"{'aarch64' if target.arch is Arch.ARM64 else 'x86_64'}-apple-darwin",
        "TARGET": target.clang_triple,
        "ABI": str(target.abi),
        "ARCH": str(target.arch),
        "CC": f"{triple}-clang",
        "CXX": f"{triple}-clang++",
        "CPP": f"{triple}-cpp",
        "AR": f"{triple}-ar",
        "RANLIB": f"xcrun --sdk {target.abi} ranlib",
        "STRIP": f"xcrun --sdk {target.abi} strip",
    }


def build_script(
    recipe: EvaluatedRecipe, tree: Path, env: Mapping[str, str], stage: Path, out: Path, *,
    commands: Sequence[str], log: Path, subject: str,
) -> Path:  # fmt: skip
    """Run a recipe's commands and pack what they install.

    Args:
        recipe: The recipe, evaluated for the target.
        tree: The source.
        env: The complete environment, including `script_variables`.
        stage: ``DESTDIR``; what an earlier run installed is removed.
        out: A directory for the wheel.
        commands: The recipe's script with its variables expanded; run with ``sh -e``, a shell for each command.
        log: The log file.
        subject: The build's name in messages.

    Raises:
        BuildError: A command failed, nothing was installed, or a licence file is missing.
    """
    remove_tree(stage)
    stage.mkdir(parents=True)
    for command in commands:
        run(["/bin/sh", "-ec", command], log=log, env=env, cwd=tree, what=subject)
    installed = stage / PREFIX.removeprefix("/")
    if not installed.is_dir() or not any(path.is_file() for path in installed.rglob("*")):
        raise BuildError(
            f"{subject}: the recipe's commands did not install any files", log=log,
            hint="install into $DESTDIR$PREFIX, e.g. make install DESTDIR=$DESTDIR",
        )  # fmt: skip
    wheel = stage / "wheel"
    shutil.copytree(installed, wheel / NATIVE_TREE)
    for file in sorted(wheel.rglob("*.pc")):
        make_relocatable(file, wheel / NATIVE_TREE)
    dist_info = wheel / f"{recipe.normalized_name.replace('-', '_')}-{recipe.version}.dist-info"
    dist_info.mkdir()
    names = _copy_licenses(recipe, tree, dist_info, subject)
    (dist_info / "METADATA").write_text(_metadata(recipe, names), encoding="utf-8")
    pure = "false" if recipe.native else "true"
    (dist_info / "WHEEL").write_text(
        f"Wheel-Version: 1.0\nGenerator: forge\nRoot-Is-Purelib: {pure}\n", encoding="utf-8"
    )
    # Headers alone are the same for all targets.
    tag = Tag("py3", "none", recipe.target.platform_tag if recipe.native else "any")
    return pack_wheel(wheel, out, source_date_epoch=SOURCE_DATE_EPOCH, tags=[tag], compress=False)


def make_relocatable(file: Path, root: Path) -> None:
    """Make a pkg-config file relative to its own directory.

    Args:
        file: ``*.pc``, somewhere below *root*.
        root: What `PREFIX` stands for.
    """
    up = "/".join(".." for _ in file.parent.relative_to(root).parts)
    text = file.read_text(encoding="utf-8")
    text = _PREFIX_LINE.sub("prefix=@", text)
    text = _PREFIX_USE.sub("${prefix}", text)
    file.write_text(text.replace("prefix=@", f"prefix=${{pcfiledir}}/{up}", 1), encoding="utf-8")


def _copy_licenses(recipe: EvaluatedRecipe, tree: Path, dist_info: Path, subject: str) -> list[str]:
    """Copy the licence files to where PEP 639 puts them; returns their names."""
    for name in recipe.license_files:
        if not (tree / name).is_file():
            raise BuildError(f"{subject}: wheel.license_files lists {name}, which is not in the source")
        target = dist_info / "licenses" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / name, target)
    return list(recipe.license_files)


def _metadata(recipe: EvaluatedRecipe, license_files: list[str]) -> str:
    """METADATA of a native library's wheel (core metadata 2.4)."""
    about = recipe.about
    lines = ["Metadata-Version: 2.4", f"Name: {recipe.name}", f"Version: {recipe.version}"]
    lines += [f"Summary: {about.summary}"] if about.summary else []
    lines += [f"Home-page: {about.homepage}"] if about.homepage else []
    lines += [f"License-Expression: {about.license}"] if about.license else []
    lines += [f"License-File: {name}" for name in license_files]
    lines += [f"Requires-Dist: {requirement}" for requirement in recipe.run]
    return "\n".join(lines) + "\n"
