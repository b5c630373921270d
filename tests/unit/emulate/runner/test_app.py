"""Trees of what is tried, from wheels that a fake pip hands out."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError, TrialError
from forge.base.target import Arch
from forge.crossbuild.tools import ensure_tools
from forge.emulate.app import choose_app_wheels, install_app_wheels, make_app
from forge.emulate.choose import download_wheels
from forge.emulate.host_wheels import install_host
from forge.wheel.name import parse_wheel_name
from tests.unit.emulate.runner.fake_pip import make_pip
from tests.unit.frameworks.modules import ARM, DEVICE, wheel

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def told(error: TrialError, tmp_path: Path) -> str:
    return re.sub("tools-[0-9a-f]+", "tools-KEY", f"{error.message}\nhint: {error.hint}".replace(str(tmp_path), "TMP"))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


def test_an_app_is_what_an_app_build_makes(tmp_path: Path, work: Path) -> None:
    given = wheel(tmp_path / "dist", ARM)
    pure = wheel(tmp_path / "index", None, {"other.py": b""}, name="other")
    pip = make_pip(tmp_path, [ARM], download={"wheels": [pure, given]})
    made = make_app([given], ["pytest>=8"], ARM, pip.context, [tmp_path / "dist"], work, tmp_path / "log")
    assert made.root == work / "app" / "iphonesimulator"
    assert [path.name for path in made.wheels] == sorted([given.name, pure.name])
    assert (made.packages / "other.py").is_file()
    (fwork,) = made.packages.rglob("*.fwork")
    assert (made.root / fwork.read_text().strip()).is_file()
    # pip is run for the cross Python, which answers with iOS's tags and markers.
    asked = pip.asked("download")
    tools, cross = asked[0], asked[asked.index("--python") + 1]
    assert tools == str(ensure_tools(pip.context.home, pip.context.build_python).python)
    assert cross.endswith("/cross/bin/python")
    assert "--only-binary=:all:" in asked
    assert asked[-4:] == ["--find-links", str(tmp_path / "dist"), str(given), "pytest>=8"]


def test_wheels_are_named_from_anywhere(tmp_path: Path, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip runs elsewhere, so relative paths would be others."""
    given = wheel(tmp_path / "dist", DEVICE)
    pip = make_pip(tmp_path, [DEVICE])
    monkeypatch.chdir(tmp_path)
    links = [Path("dist")]
    choose_app_wheels([given.relative_to(tmp_path)], [], DEVICE, pip.context, links, work, tmp_path / "log")
    assert pip.asked("download")[-3:] == ["--find-links", str(tmp_path / "dist"), str(given)]


def test_wheels_are_installed_as_they_are(tmp_path: Path) -> None:
    given = wheel(tmp_path / "dist", ARM)
    pip, into = make_pip(tmp_path, [ARM]), tmp_path / "app_packages"
    into.mkdir()
    install_app_wheels([given], ARM, pip.context, into, tmp_path / "log")
    assert (into / "pkg" / "_x.cpython-313-iphonesimulator.so").is_file()
    asked = pip.asked("install")
    assert {"--no-index", "--no-deps", "--no-compile"} <= set(asked)
    assert asked[asked.index("--python") + 1].endswith("/cross/bin/python")


def test_wheels_that_cannot_be_installed(tmp_path: Path) -> None:
    pip = make_pip(tmp_path, [ARM], install={"code": 1})
    with pytest.raises(BuildError, match="installing wheels"):
        install_app_wheels([], ARM, pip.context, tmp_path, tmp_path / "log")


SAYS = "Looking in indexes: https://index.example.org/simple\n{}\nERROR: No matching distribution found for numpy"


@pytest.mark.parametrize(
    "says",
    [
        SAYS.format("ERROR: Could not find a version that satisfies the requirement numpy (from versions: none)"),
        "Killed",
    ],
    ids=["no wheel", "no reason"],
)
def test_no_wheel_for_the_target(says: str, tmp_path: Path, work: Path, snapshot: SnapshotAssertion) -> None:
    pip = make_pip(tmp_path, [DEVICE], download={"says": says, "code": 1})
    with pytest.raises(TrialError) as caught:
        make_app([], ["numpy"], DEVICE, pip.context, [], work, tmp_path / "log")
    assert told(caught.value, tmp_path) == snapshot
    assert says in (tmp_path / "log").read_text()
    assert not (work / "app").exists()


def test_wheels_that_make_no_app(tmp_path: Path, work: Path, snapshot: SnapshotAssertion) -> None:
    files = {"pkg/_x.cpython-313-iphonesimulator.so": b"no Mach-O file"}
    given = wheel(tmp_path / "dist", ARM, files)
    pip = make_pip(tmp_path, [ARM], download={"wheels": [given]})
    with pytest.raises(TrialError) as caught:
        make_app([given], [], ARM, pip.context, [], work, tmp_path / "log")
    assert told(caught.value, tmp_path) == snapshot
    assert not (work / "app").exists()


@pytest.mark.parametrize(("arch", "machine"), [(Arch.X86_64, "x86_64"), (Arch.ARM64, "aarch64")])
def test_the_linux_wheel_of_the_same_version(arch: Arch, machine: str, tmp_path: Path, work: Path) -> None:
    tag = f"cp313-cp313-manylinux_2_28_{machine}"
    there = wheel(tmp_path / "index", None, {"pkg/__init__.py": b""}, tag=tag)
    pip = make_pip(tmp_path, [ARM], download={"wheels": [there]})
    name = parse_wheel_name(f"pkg-1.0-cp313-cp313-{ARM.platform_tag}.whl")
    packages, wheels = install_host(name, ["pytest>=8"], arch, pip.context, work, tmp_path / "log")
    assert wheels == (there.name,)
    assert (packages / "pkg" / "__init__.py").is_file()
    asked = pip.asked("download")
    assert asked[-2:] == ["pkg==1.0", "pytest>=8"]
    platforms = [two for one, two in pairwise(asked) if one == "--platform"]
    assert platforms[0] == f"manylinux_2_34_{machine}"
    assert platforms[-1] == f"manylinux2014_{machine}"
    assert asked[asked.index("--python-version") + 1] == "3.13"
    # Installing asks no index, and for the same platforms: the tags would be refused otherwise.
    installed = pip.asked("install")
    assert {"--no-index", "--no-deps", f"manylinux_2_28_{machine}"} <= set(installed)


def test_no_linux_wheel_of_that_version(tmp_path: Path, work: Path, snapshot: SnapshotAssertion) -> None:
    says = "ERROR: Could not find a version that satisfies the requirement pkg==1.0 (from versions: 1.1, 1.2)"
    pip = make_pip(tmp_path, [ARM], download={"says": says, "code": 1})
    name = parse_wheel_name(f"pkg-1.0-cp313-cp313-{ARM.platform_tag}.whl")
    with pytest.raises(TrialError) as caught:
        install_host(name, [], Arch.X86_64, pip.context, work, tmp_path / "log")
    assert told(caught.value, tmp_path) == snapshot


def test_what_is_downloaded_is_sorted_and_nothing_else(tmp_path: Path) -> None:
    wheels = [wheel(tmp_path / "index", None, {"b.py": b""}, name=name) for name in ("zebra", "ant")]
    pip = make_pip(tmp_path, [ARM], download={"wheels": [*wheels, Path(__file__)]})
    command: list[str | Path] = [pip.context.build_python.executable, "-m", "pip"]
    made = download_wheels(
        command, ["zebra", "ant"], tmp_path / "new" / "wheels", tmp_path / "log", what="choosing", failure="none"
    )
    assert [path.name for path in made] == ["ant-1.0-py3-none-any.whl", "zebra-1.0-py3-none-any.whl"]
    assert pip.asked("download")[-2:] == ["zebra", "ant"]
