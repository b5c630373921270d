"""Native libraries: commands of a recipe's, packed as a wheel with an ``opt/`` tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import BuildError
from forge.crossbuild import recipe_build
from forge.crossbuild.backends.script import make_relocatable
from forge.crossbuild.host_prefix import HostPackage, make_host_prefix
from forge.crossbuild.recipe_build import BuiltWheel, build_recipe
from forge.crossbuild.run_requirements import add_run_requirements
from forge.recipe.evaluate import evaluate
from forge.recipe.read import read_recipe
from forge.wheel.contents import read_wheel
from tests.unit.crossbuild.fakes import make_context, no_cross_environment
from tests.unit.ios_python.fakes import DEVICE, Recorder
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdef" * 4
RECIPE = """\
schema: 2
package: {name: libdemo, version: "1.2"}
about: {license: Zlib, summary: A demonstration, homepage: "https://example.org"}
source: {path: source}
build:
  backend: script
  script:
"""
COMMANDS = (
    'mkdir -p "$DESTDIR$PREFIX/lib/pkgconfig" "$DESTDIR$PREFIX/include"',
    "printf '!<arch>\\n' > $DESTDIR$PREFIX/lib/libdemo.a",
    'printf "prefix=%s\\nlibdir=%s/lib\\nLibs: -L%s/lib -ldemo\\n" $PREFIX $PREFIX $PREFIX'
    " > $DESTDIR$PREFIX/lib/pkgconfig/demo.pc",
    "cp demo.h $DESTDIR$PREFIX/include; echo for $ARCH $ABI with $CC",
)


@pytest.fixture(autouse=True)
def _no_cross_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_build, "ensure_cross_environment", no_cross_environment)


def build(root: Path, *commands: str, rest: str = "wheel: {license_files: [LICENSE]}\n") -> BuiltWheel:
    directory = root / "recipes" / "libdemo"
    (directory / "source").mkdir(parents=True)
    (directory / "source" / "demo.h").write_text("#define DEMO 1\n")
    (directory / "source" / "LICENSE").write_text("do as you like\n")
    lines = "".join(
        f"    - {command!r}\n" if "'" not in command else f"    - |\n      {command}\n" for command in commands
    )
    (directory / "recipe.yaml").write_text(RECIPE + lines + rest)
    recipe = evaluate(read_recipe(directory), DEVICE, "3.13")
    return build_recipe(
        recipe, make_context(root), key=KEY, out=root, progress=Recorder(), subject="libdemo 1.2 arm64-iphoneos"
    )


def test_what_is_installed_becomes_the_opt_tree(tmp_path: Path) -> None:
    built = build(tmp_path, *COMMANDS)
    assert built.path.name == f"libdemo-1.2-py3-none-{DEVICE.platform_tag}.whl"
    contents = read_wheel(built.path)
    assert [m.path for m in contents.members if m.path.startswith("opt/")] == [
        "opt/include/demo.h", "opt/lib/libdemo.a", "opt/lib/pkgconfig/demo.pc",
    ]  # fmt: skip
    assert contents.read("opt/lib/pkgconfig/demo.pc").decode() == (
        "prefix=${pcfiledir}/../..\nlibdir=${prefix}/lib\nLibs: -L${prefix}/lib -ldemo\n"
    )
    assert contents.read("libdemo-1.2.dist-info/licenses/LICENSE") == b"do as you like\n"
    metadata = contents.read("libdemo-1.2.dist-info/METADATA").decode()
    assert "License-Expression: Zlib\nLicense-File: LICENSE\n" in metadata
    assert "for arm64 iphoneos with arm64-apple-ios-clang" in built.log.read_text()


HEADERS = (
    'mkdir -p "$DESTDIR$PREFIX/lib/pkgconfig" "$DESTDIR$PREFIX/include"',
    'printf "prefix=%s\\nCflags: -I%s/include\\n" $PREFIX $PREFIX > $DESTDIR$PREFIX/lib/pkgconfig/demo.pc',
    "cp demo.h $DESTDIR$PREFIX/include",
)


def test_headers_alone_are_for_all_targets(tmp_path: Path) -> None:
    built = build(tmp_path, *HEADERS, rest="wheel: {native: false}\n")
    assert built.path.name == "libdemo-1.2-py3-none-any.whl"
    contents = read_wheel(built.path)
    assert contents.wheel.root_is_purelib
    sbom = next(data for name, data in contents.read_all() if name.endswith(".cdx.json"))
    assert b"arm64" not in sbom
    prefix = make_host_prefix([HostPackage("libdemo", "1.2", built.path, "ab")], tmp_path / "host")
    assert (prefix.opt / "include" / "demo.h").read_text() == "#define DEMO 1\n"
    assert prefix.pkg_config == (prefix.opt / "lib" / "pkgconfig",)


@pytest.mark.parametrize(
    ("commands", "rest", "message"),
    [
        (("true",), "", "did not install any files"),
        (("echo words; exit 3", "echo never"), "", "exited with code 3"),
        (COMMANDS, "wheel: {license_files: [COPYING]}\n", "lists COPYING, which is not in the source"),
    ],
)
def test_failures(tmp_path: Path, commands: tuple[str, ...], rest: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        build(tmp_path, *commands, rest=rest)
    log = next((tmp_path / "home" / "logs").glob("libdemo*")).read_text()
    assert "never" not in log.replace("echo never", "")


@given(
    st.lists(st.sampled_from(["prefix=/opt", "libdir=/opt/lib", "Cflags: -I/opt/include", "x=/usr/opt", "y=/optical"]))
)
def test_pkg_config_files_name_no_place(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    root = tmp_path_factory.mktemp("opt")
    file = root / "lib" / "pkgconfig" / "x.pc"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(["prefix=/opt", *lines]) + "\n")
    make_relocatable(file, root)
    text = file.read_text()
    assert text.startswith("prefix=${pcfiledir}/../..\n")
    assert text.count("/usr/opt") == lines.count("x=/usr/opt")
    assert text.count("/optical") == lines.count("y=/optical")
    assert "=/opt\n" not in text
    assert "=/opt/" not in text
    assert "-I/opt/" not in text


def test_packages_that_disagree_about_a_file(tmp_path: Path) -> None:
    packages = [
        HostPackage(name, "1.0", make_wheel(tmp_path / name, {"opt/include/x.h": content}, name=name), "ab")
        for name, content in (("one", b"1"), ("two", b"2"))
    ]
    with pytest.raises(BuildError, match=r"the host requirements one and two both install opt/include/x.h"):
        make_host_prefix(packages, tmp_path / "host")


def test_packages_that_agree_about_a_file_and_the_rest(tmp_path: Path) -> None:
    files = {"opt/include/x.h": b"1", "opt/lib/pkgconfig/x.pc": b""}
    packages = [
        HostPackage("one", "1.0", make_wheel(tmp_path / "one", files, name="one"), "ab"),
        HostPackage("two", "1.0", make_wheel(tmp_path / "two", {**files, "two/x.pc": b""}, name="two"), "cd"),
    ]
    prefix = make_host_prefix(packages, tmp_path / "host")
    assert (prefix.opt / "include" / "x.h").read_bytes() == b"1"
    assert (prefix.site_packages / "two" / "x.pc").is_file()
    assert prefix.pkg_config == (prefix.opt / "lib" / "pkgconfig", prefix.site_packages / "two")
    assert prefix.expand("-I${x} /forge/host/opt") == f"-I${{x}} {prefix.root}/opt"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Name: x\n", "Name: x\nRequires-Dist: a; sys_platform == 'ios'\n"),
        ("Name: x\n\nbody\n", "Name: x\nRequires-Dist: a; sys_platform == 'ios'\n\nbody\n"),
        (
            "Name: x\nRequires-Dist: b\nLicense: y\n\nRequires-Dist: no\n",
            "Name: x\nRequires-Dist: b\nRequires-Dist: a; sys_platform == 'ios'\nLicense: y\n\nRequires-Dist: no\n",
        ),
        ('Requires-Dist: a; sys_platform == "ios"\n', 'Requires-Dist: a; sys_platform == "ios"\n'),
    ],
)
def test_run_requirements_are_added_once(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "METADATA").write_text(before)
    for _ in range(2):
        add_run_requirements(tmp_path, ["a; sys_platform == 'ios'"])
        assert (tmp_path / "METADATA").read_text() == after
