"""Maven repositories as mirrors: Maven's settings say where they are, or ``FORGE_MAVEN_MIRROR`` where there are none.

A file is named by its path in the repository layout (Maven's documentation, "Repository Layout").
"""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

VARIABLE = "FORGE_MAVEN_MIRROR"
_SUPER_POM = "org/apache/maven/model/pom-4.0.0.xml"


def maven_repositories() -> tuple[tuple[str, ...], str]:
    """Repositories, without a slash at the end, and if there is none, the reason.

    ``FORGE_MAVEN_MIRROR`` holds one or several, separated by white space; else the user's ``~/.m2/settings.xml`` names
    mirrors; else an installed Maven has its default in its super POM (Maven's documentation, "Super POM").
    """
    named = os.environ.get(VARIABLE, "").split()
    found = named or _mirrors_of_settings() or _default_of_maven()
    repositories = tuple(dict.fromkeys(url.rstrip("/") for url in found))
    return repositories, "" if repositories else f"{VARIABLE} is not set, and no Maven is configured or installed"


def _mirrors_of_settings() -> list[str]:
    settings = Path(os.path.expanduser("~/.m2/settings.xml"))  # noqa: PTH111 - never raises
    try:
        tree = ET.fromstring(settings.read_bytes())  # noqa: S314 - the user's own file, as Maven reads it
    except (OSError, ET.ParseError):
        return []
    urls: list[str] = []
    for mirror in (element for element in tree.iter() if element.tag.endswith("mirror")):
        parts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in mirror}
        covered = {part.strip() for part in parts.get("mirrorOf", "").split(",")}
        if parts.get("url") and covered & {"*", "central", "external:*"}:
            urls.append(parts["url"])
    return urls


def _default_of_maven() -> list[str]:
    program = shutil.which("mvn")
    if program is None:
        return []
    # mvn is a script in bin of Maven's directory, which links may lead to.
    for jar in sorted((Path(program).resolve().parent.parent / "lib").glob("maven-model-builder-*.jar")):
        try:
            with zipfile.ZipFile(jar) as archive:
                tree = ET.fromstring(archive.read(_SUPER_POM))  # noqa: S314 - part of an installed program
        except (OSError, KeyError, zipfile.BadZipFile, ET.ParseError):
            continue
        return [(element.text or "").strip() for element in tree.iter() if element.tag.rpartition("}")[2] == "url"]
    return []
