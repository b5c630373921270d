"""The pages for people: what there is, for whom, and what to paste. They need no scripts, in light or dark."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import canonicalize_name

from forge.base.target import select_targets
from forge.index.matrix import MULTIARCHES, cells_of, lines, pythons_of
from forge.index.templates_of import page
from forge.ios_python.interface import known_minors
from forge.pipeline.sizes import size_text
from forge.plan.applying import applying

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from packaging.requirements import Requirement

    from forge.index.model import HeldFile, IndexState

_DEVICE = select_targets()[0]

EXAMPLE_URL = "https://wheels.example.org/simple/"
"""What snippets say where nobody told the index its address."""

EXAMPLE_PYTHON = known_minors()[0]
"""What they name where there are wheels for it, or none at all."""


@dataclass(frozen=True)
class Snippet:
    """Something to paste.

    Args:
        title: For which tool.
        language: Of the text.
        text: The text.
        note: What to know about it, or an empty string.
    """

    title: str
    language: str
    text: str
    note: str = ""


def home_page(state: IndexState) -> str:
    """The index's home page.

    Args:
        state: What it holds.
    """
    projects = state.projects
    pythons = pythons_of(state.files.values())
    rows = lines(projects, pythons)
    summaries = {name: next((f.summary for f in reversed(files) if f.summary), "") for name, files in projects.items()}
    return page(
        "home.html", name=state.name, rows=rows, pythons=pythons, targets=MULTIARCHES, summaries=summaries,
        files=len(state.files), size=size_text(sum(file.size for file in state.files.values())),
        snippets=snippets(state.url or EXAMPLE_URL, next(iter(projects), "numpy"), python=_shown(pythons)),
        is_example=not state.url, root=".",
    )  # fmt: skip


def package_page(state: IndexState, name: str, needed: Sequence[str]) -> str:
    """A package's page.

    Args:
        state: What the index holds.
        name: The project.
        needed: What `needs_of` says of it.
    """
    files = state.projects[name]
    newest, projects = files[-1], state.projects
    versions: dict[str, list[HeldFile]] = {}
    for file in reversed(files):
        versions.setdefault(str(file.version), []).append(file)
    pythons = pythons_of(files)
    told = [
        {
            "version": version, "cells": cells_of(held, pythons),
            "files": [_file(file) for file in sorted(held, key=lambda file: file.filename)],
        }
        for version, held in versions.items()
    ]  # fmt: skip
    return page(
        "package.html", index=state.name, name=name, newest=newest, versions=told, pythons=pythons, targets=MULTIARCHES,
        requirements=[_requirement(each, projects) for each in requirements_of(newest, pythons)],
        snippets=snippets(state.url or EXAMPLE_URL, name, needed, _shown(pythons)), is_example=not state.url,
        root="../..",
    )  # fmt: skip


def snippets(url: str, name: str, needed: Sequence[str] = (), python: str = EXAMPLE_PYTHON) -> tuple[Snippet, ...]:
    """What users of several tools paste.

    Args:
        url: The address of ``simple/``.
        name: A package of the index.
        needed: Those of the index that it requires in turn.
        python: The version of Python that commands name.
    """
    names = (name, *needed)
    sources = "\n".join(f'{each} = {{ index = "ios", marker = "sys_platform == \'ios\'" }}' for each in names)
    listed = ", ".join([f'"{name}"', *(f"\"{each}; sys_platform == 'ios'\"" for each in needed)])
    own = f"# Of the project's own dependencies alone: dependencies = [{listed}]\n" if needed else ""
    return (
        Snippet(
            "uv, in a project that is for desktops too", "toml",
            f"[[tool.uv.index]]\nname = \"ios\"\nurl = \"{url}\"\nexplicit = true\n\n"
            f"{own}[tool.uv.sources]\n{sources}",
            "Other platforms go on taking the package from where they do now.",
        ),
        Snippet(
            "uv", "sh",
            f"uv pip install --python-platform arm64-apple-ios --python-version {python} --only-binary :all: \\\n"
            f"    --target app_packages.iphoneos --index {url} {name}",
            "Simulators are arm64-apple-ios-simulator and x86_64-apple-ios-simulator.",
        ),
        Snippet(
            "pip 24.3 or later", "sh",
            f"pip install --platform ios_13_0_arm64_iphoneos --only-binary=:all: --python-version {python} \\\n"
            f"    --target app_packages.iphoneos --extra-index-url {url} {name}",
            "Simulators are ios_13_0_arm64_iphonesimulator and ios_13_0_x86_64_iphonesimulator.",
        ),
        Snippet(
            "Briefcase", "toml",
            "[tool.briefcase.app.myapp.iOS]\n"
            f"requires = [\"{name}\"]\n"
            f"requirement_installer_args = [\"--extra-index-url\", \"{url}\"]",
        ),
        Snippet("Flet", "sh", f"PIP_EXTRA_INDEX_URL={url} flet build ipa"),
        Snippet(
            "Poetry", "sh", f"poetry source add --priority=explicit ios {url}\n"
            f"poetry add --source ios --markers \"sys_platform == 'ios'\" {name}",
        ),
    )  # fmt: skip


def _shown(pythons: Sequence[str]) -> str:
    """The version of Python for commands to name: one that has wheels."""
    return EXAMPLE_PYTHON if EXAMPLE_PYTHON in pythons or not pythons else pythons[0]


def _file(file: HeldFile) -> dict[str, object]:
    name = file.name
    platform = name.platforms[0]
    ios = ".".join(platform.split("_")[1:3]) if platform.startswith("ios_") else ""
    target = next((each for each in MULTIARCHES if platform.endswith(f"_{each.replace('-', '_')}")), "any")
    return {
        "held": file, "url": f"../../{quote(file.path)}", "size": size_text(file.size), "ios": ios, "target": target,
        "python": ".".join(name.pythons), "abi": ".".join(name.abis),
    }  # fmt: skip


def needs_of(projects: Mapping[str, Sequence[HeldFile]]) -> dict[str, tuple[str, ...]]:
    """Of each project of an index, those of the index that it requires, and what these require in turn, sorted.

    A package's page names them, and says nothing else of them.

    Args:
        projects: The files of each, in order.
    """
    direct = {name: _required_by(files) & projects.keys() for name, files in projects.items()}
    found = {}
    for name in projects:
        seen, waiting = {name}, [name]
        while waiting:
            new = direct[waiting.pop()] - seen
            seen |= new
            waiting += new
        found[name] = tuple(sorted(seen - {name}))
    return found


def _required_by(files: Sequence[HeldFile]) -> frozenset[str]:
    """The projects that a package's newest file requires."""
    return _required(files[-1].requires_dist, pythons_of(files))


@functools.lru_cache(maxsize=1 << 14)
def _required(texts: tuple[str, ...], pythons: tuple[str, ...]) -> frozenset[str]:
    return frozenset(canonicalize_name(each.name) for each in _applying(texts, pythons))


def requirements_of(file: HeldFile, pythons: Sequence[str]) -> tuple[Requirement, ...]:
    """What a file requires on iOS, without extras, in any of some Pythons."""
    return _applying(file.requires_dist, tuple(pythons))


def _applying(texts: tuple[str, ...], pythons: tuple[str, ...]) -> tuple[Requirement, ...]:
    found: dict[str, Requirement] = {}
    for requirement in applying(texts, _DEVICE, *(pythons or known_minors())) if texts else ():
        found.setdefault(f"{requirement.name}{requirement.specifier}", requirement)
    return tuple(found.values())


def _requirement(requirement: Requirement, projects: Collection[str]) -> dict[str, str]:
    """A requirement, and the page of its package if the index has one."""
    name = canonicalize_name(requirement.name)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    text = f"{requirement.name}{extras}{requirement.specifier}"
    return {"text": text, "url": f"../{name}/" if name in projects else ""}
