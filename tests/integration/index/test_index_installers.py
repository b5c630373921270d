"""Real pip and uv install from an index that forge made, with what its home page says to paste."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.index.make import make_index
from tests.integration.index.clients import BIN, PIP, TARGETS, UV, for_target, run, snippet
from tests.loopback import serving
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Handler(SimpleHTTPRequestHandler):
    """A web server of files that notes what is asked for."""

    asked: list[str]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        super().do_GET()


@contextmanager
def served(directory: Path) -> Iterator[tuple[str, list[str]]]:
    """Its address, and what was asked for."""
    asked: list[str] = []
    handler = type("Noting", (Handler,), {"asked": asked})
    with serving(functools.partial(handler, directory=str(directory))) as port:
        yield f"http://127.0.0.1:{port}/", asked


@pytest.fixture
def index(tmp_path: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """An index of a package that requires another one on iOS; its directory, its address, and what was asked for."""
    wheels = tmp_path / "wheels"
    for target in TARGETS:
        tag = f"cp313-cp313-ios_12_0_{target}"
        metadata = "Metadata-Version: 2.1\nName: {}\nVersion: {}\nRequires-Python: >=3.9\n"
        make_wheel(
            wheels, {"demo/__init__.py": b"", f"demo/{target}": b""}, name="demo", version="1.0", tag=tag,
            metadata=metadata.format("demo", "1.0") + "Requires-Dist: forge-index-helper>=2\n",
        )  # fmt: skip
        make_wheel(
            wheels, {"helper.py": b""}, name="forge_index_helper", version="2.0", tag=tag,
            metadata=metadata.format("forge-index-helper", "2.0"),
        )  # fmt: skip
    site = tmp_path / "site"
    site.mkdir()
    with served(site) as (url, asked):
        make_index(
            str(site),
            wheels.iterdir(),
            ForgeHome(tmp_path / "home"),
            SilentProgress(),
            name="Test",
            url=f"{url}simple/",
        )
        yield site, url, asked


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("tool", [PIP, UV])
def test_what_the_page_says_installs(
    index: tuple[Path, str, list[str]], tool: str, target: str, tmp_path: Path
) -> None:
    site, _, asked = index
    command = snippet((site / "packages" / "demo" / "index.html").read_text(), tool)
    run(for_target(command, target), tmp_path)
    there = {path.name for path in (tmp_path / "app_packages.iphoneos").rglob("*")}
    assert {"helper.py", target} <= there
    assert not (set(TARGETS) - {target}) & there, "the wheel of that target alone"
    wheel = f"/files/demo/demo-1.0-cp313-cp313-ios_12_0_{target}.whl"
    assert asked.index(f"{wheel}.metadata") < asked.index(wheel), "what it requires was known before it was downloaded"


@pytest.mark.parametrize("tool", [PIP, UV])
def test_a_file_with_other_bytes_is_refused(index: tuple[Path, str, list[str]], tool: str, tmp_path: Path) -> None:
    site, _, _ = index
    for file in (site / "files" / "demo").glob("*.whl"):
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("demo/more.py", "")
    with pytest.raises(AssertionError, match=r"(?i)hash"):
        run(snippet((site / "packages" / "demo" / "index.html").read_text(), tool), tmp_path)


def test_a_project_that_is_for_desktops_too(index: tuple[Path, str, list[str]], tmp_path: Path) -> None:
    """uv locks both with the snippet: on iOS from this index, elsewhere from a second one."""
    site, url, _ = index
    desktop = tmp_path / "desktop"
    metadata = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
    wheels = make_wheel(tmp_path / "pure", {"demo.py": b""}, name="demo", tag="py3-none-any", metadata=metadata)
    make_index(str(desktop), [wheels], ForgeHome(tmp_path / "home"), SilentProgress())
    project = tmp_path / "project"
    project.mkdir()
    page = (site / "packages" / "demo" / "index.html").read_text()
    with served(desktop) as (elsewhere, _):
        text = snippet(page, "uv, in a project that is for desktops too")
        dependencies = re.search(r"(dependencies = \[.*\])", text)
        assert dependencies
        (project / "pyproject.toml").write_text(
            '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
            + f"{dependencies[1]}\n\n{text}"
            + f'\n\n[[tool.uv.index]]\nname = "desktop"\nurl = "{elsewhere}simple/"\ndefault = true\n'
        )
        uv = shutil.which("uv", path=str(BIN)) or "uv"
        done = subprocess.run(
            [uv, "lock", "--no-cache", "--python", sys.executable], check=False, capture_output=True, text=True,
            cwd=project, timeout=300,
        )  # fmt: skip
    if done.returncode:
        pytest.fail(done.stdout + done.stderr)
    lock = (project / "uv.lock").read_text()
    assert f'registry = "{url}simple/"' in lock
    assert f'registry = "{elsewhere}simple/"' in lock
    assert "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl" in lock
    assert "demo-1.0-py3-none-any.whl" in lock
