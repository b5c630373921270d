"""What tests of ``forge update`` share: recipes, and an index on the loopback address that has newer releases."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from forge.recipe.lock import make_lock
from forge.recipe.schema import FORMAT
from tests.unit.macho.builder import macho
from tests.unit.source.conftest import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.unit.cli.runner import Forge, Said
    from tests.unit.source.conftest import Server

SOURCE = "".join(f"line {number}\n" for number in range(1, 21))
PATCH = "--- a/x.c\n+++ b/x.c\n@@ -9,3 +9,3 @@\n line 9\n-line 10\n+mended\n line 11\n"


def sdist(name: str, version: str, files: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, text in {"pyproject.toml": "", **files}.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


def wheel(modules: Sequence[str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for module in modules:
            archive.writestr(module.replace(".", "/") + ".cpython-313-darwin.so", macho())
    return made.getvalue()


class Index:
    """A package index (PEP 691, 700), whose files are a hundred days old unless said otherwise."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.files: dict[str, list[dict[str, object]]] = {}

    def add(self, name: str, filename: str, content: bytes, *, days: float = 100, **fields: object) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        uploaded = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        url = self.server.put(f"/files/{filename}", content)
        listed = {"filename": filename, "url": url, "hashes": {"sha256": sha256}, "upload-time": uploaded, **fields}
        self.files.setdefault(name, []).append(listed)
        page = {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": self.files[name]}
        headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
        self.server.put(f"/simple/{name}/", Answer(json.dumps(page).encode(), headers=headers))
        return sha256

    def release(
        self,
        name: str,
        version: str,
        files: Mapping[str, str] | None = None,
        *,
        modules: Sequence[str] = (),
        days: float = 100,
        **fields: object,
    ) -> str:
        if modules:
            self.add(name, f"{name}-{version}-cp313-cp313-macosx_11_0_arm64.whl", wheel(modules))
        source = sdist(name, version, files or {"x.c": SOURCE})
        return self.add(name, f"{name}-{version}.tar.gz", source, days=days, **fields)


def recipe(version: str, sha256: str, name: str = "demo", more: str = "") -> str:
    return f"""\
# What this is for.
schema: {FORMAT}

package:
  version: '{version}' # see the changelog
  name: {name}

source:
  sdist: {{sha256: {sha256}}}
{more}build:
  backend: setuptools
"""


def write(forge: Forge, text: str, files: Mapping[str, str] | None = None) -> Path:
    (name,) = re.findall("  name: (.*)", text)
    directory: Path = forge.root / "recipes" / name
    lock = {"build-requirements.lock": make_lock([], []).text()}
    for path, content in {"recipe.yaml": text, **lock, **(files or {})}.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(content)
    return directory


WITH_PATCH = "  patches: [patches/one.patch]\n"


def plain(forge: Forge, said: Said) -> str:
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://INDEX", said.out)
    return forge.plain(text)
