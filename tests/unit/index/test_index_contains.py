"""What is linked into a wheel is on its package's page, as the bills of materials in it say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.unit.wheel.wheels import DEVICE, make_wheel

if TYPE_CHECKING:
    from tests.unit.cli.runner import Forge


def bom(*components: dict[str, str]) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}).encode()


def test_libraries_of_a_wheel(forge: Forge) -> None:
    components = (
        {"name": "demo-1.0.tar.gz", "version": "sdist"},
        {"name": "OpenSSL", "version": "3.5.7"},
        {"name": "<b>lib</b>", "version": ""},
        {"name": "clang", "version": "19", "scope": "excluded"},
    )
    files = {"demo/__init__.py": b"", "demo-1.0.dist-info/sboms/forge.cdx.json": bom(*components)}
    make_wheel(forge.root / "wheels", files, name="demo", tag=DEVICE)
    assert forge("index", "make", "site", "wheels").code == 0
    page = (forge.root / "site" / "packages" / "demo" / "index.html").read_text()
    assert "<dt>contains</dt><dd>&lt;b&gt;lib&lt;/b&gt;, OpenSSL 3.5.7</dd>" in page
    # It is kept: pages are made of what the index holds, without a look at the files.
    for file in (forge.root / "site" / "files").rglob("*.whl"):
        file.write_bytes(b"")
    (forge.root / "site" / "packages" / "demo" / "index.html").unlink()
    assert forge("index", "make", "site", "--afresh").code == 0
    assert (forge.root / "site" / "packages" / "demo" / "index.html").read_text() == page


def test_a_wheel_without_one(forge: Forge) -> None:
    make_wheel(forge.root / "wheels", {"demo/__init__.py": b""}, name="demo", tag=DEVICE)
    assert forge("index", "make", "site", "wheels").code == 0
    assert "contains" not in (forge.root / "site" / "packages" / "demo" / "index.html").read_text()
