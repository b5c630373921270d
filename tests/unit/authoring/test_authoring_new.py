"""``forge new``: what is written, when nothing is, and what is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forge.authoring import compose, workbench
from forge.base.errors import BuildError
from forge.plan import lock as lock_module
from forge.recipe.read import read_recipe
from tests.unit.authoring.conftest import METADATA
from tests.unit.crossbuild.fakes import BACKEND, MODULE, PYPROJECT, make_context, write_recipe
from tests.unit.macho.builder import ARM64, SIMULATOR, X86_64, macho
from tests.unit.macho.builder import IOS as IOS_PLATFORM
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.authoring.conftest import Index
    from tests.unit.cli.runner import Forge

MACOS = "cp313-cp313-macosx_11_0_arm64"
SO = "demo/_x.cpython-313-darwin.so"
SETUP = "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('demo._x', ['demo/_x.c'])])\n"
SOURCE = {"setup.py": SETUP, "demo/__init__.py": "", "demo/_x.c": "int x;", "LICENSE": "free of charge"}
MAKE_PURE = """
def make_pure(wheel_directory):
    (wheel,) = (HERE / "pure").glob("*.whl")
    return os.path.basename(shutil.copy(wheel, wheel_directory))
"""
IOS = ("ios_13_0_arm64_iphoneos", "ios_13_0_arm64_iphonesimulator", "ios_13_0_x86_64_iphonesimulator")


def extension() -> bytes:
    return macho(exports=("_PyInit__x",))


def ios_files(python: str, platform: str) -> dict[str, bytes]:
    """The files of a wheel for iOS that ``forge check`` finds nothing wrong with."""
    abi = platform.rpartition("_")[2]
    binary = macho(
        exports=("_PyInit__x",), minos=(13, 0), cpu=X86_64 if "x86_64" in platform else ARM64,
        platform=IOS_PLATFORM if abi == "iphoneos" else SIMULATOR,
    )  # fmt: skip
    return {"demo/__init__.py": b"", f"demo/_x.cpython-{python}-{abi}.so": binary}


def recipes(forge: Forge) -> list[str]:
    """The files below the directory of recipes."""
    root = forge.root / "recipes"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def schema(forge: Forge) -> Path:
    """A directory of recipes that is there, and the schema beside it."""
    (forge.root / "schemas").mkdir()
    (forge.root / "schemas" / "recipe.schema.json").write_text("{}")
    other = forge.root / "recipes" / "multidict"
    other.mkdir(parents=True)
    (other / "recipe.yaml").write_text("schema: 2\npackage: {name: multidict, version: '1.0'}\n")
    return other


@pytest.mark.usefixtures("resolved")
class TestWritten:
    def test_a_package(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        index.sdist({**SOURCE, "tests/test_it.py": "import demo, hypothesis\n"})
        index.wheel(MACOS, {"demo/__init__.py": b"", SO: extension()}, more="Requires-Dist: multidict>=4\n")
        said = forge("new", "Demo")
        assert said.code == 0
        assert said.out == snapshot
        directory = forge.root / "recipes" / "demo"
        digest = (directory / "recipe.yaml").read_text().partition("sha256: ")[2][:64]
        assert (directory / "recipe.yaml").read_text().replace(digest, "DIGEST") == snapshot
        assert (directory / "extension-modules.txt").read_text().endswith("\ndemo._x  all\n")
        assert (directory / "build-requirements.lock").read_text().count("# requires: setuptools") == 1
        assert recipes(forge) == [
            "demo/build-requirements.lock", "demo/extension-modules.txt", "demo/recipe.yaml", "multidict/recipe.yaml",
        ]  # fmt: skip

    def test_lint_finds_nothing(self, forge: Forge, index: Index) -> None:
        index.sdist(SOURCE)
        index.wheel(MACOS, {SO: extension()})
        forge("new", "demo")
        assert forge("lint", "demo").out == "1 recipe checked, 0 errors, 0 warnings\n"

    def test_as_json(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        index.sdist(SOURCE)
        said = forge("new", "demo==1.0", "--json")
        assert said.code == 0
        assert json.loads(said.out) == snapshot

    def test_a_readme_with_examples(
        self, forge: Forge, index: Index, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(compose, "true_examples", lambda examples, *_: tuple(examples))
        index.sdist(SOURCE)
        readme = "\n# Demo\n\n>>> 1\n2\n\n```\n>>> import demo\n>>> demo.x(\n...     2)\n'two'\n```\n"
        index.wheel(MACOS, {SO: extension()}, more=readme)
        forge("new", "demo")
        assert (forge.root / "recipes" / "demo" / "tests" / "test_readme.py").read_text() == snapshot

    @pytest.mark.parametrize(("requires", "said"), [(">=3.14", ">=3.14"), ("<3.15", "<=3.14"), ("!", None)])
    def test_pythons(self, forge: Forge, index: Index, requires: str, said: str | None) -> None:
        index.sdist(SOURCE)
        index.wheel(MACOS, {SO: extension()}, more=f"Requires-Python: {requires}\n")
        forge("new", "demo", "--python", "3.14")
        recipe = read_recipe(forge.root / "recipes" / "demo")
        assert recipe.python == (said or "")

    def test_the_newest_that_is_no_pre_release(self, forge: Forge, index: Index) -> None:
        for version in ("1.0", "1.10", "2.0rc1"):
            index.sdist(SOURCE, version=version)
        assert "demo 1.10\n" in forge("new", "demo").out

    def test_of_two_sdists_the_file_is_named(self, forge: Forge, index: Index) -> None:
        index.sdist(SOURCE)
        index.sdist(SOURCE, suffix=".tgz")
        forge("new", "demo")
        text = (forge.root / "recipes" / "demo" / "recipe.yaml").read_text()
        assert "    filename: demo-1.0.tar.gz\n" in text or "    filename: demo-1.0.tgz\n" in text

    def test_in_a_new_directory(self, forge: Forge, index: Index, tmp_path: Path) -> None:
        index.sdist(SOURCE)
        assert forge("new", "demo", "--recipes", str(tmp_path / "mine" / "recipes")).code == 0
        assert (tmp_path / "mine" / "recipes" / "demo" / "recipe.yaml").is_file()


class TestNotNeeded:
    def test_ios_wheels(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        index.sdist(SOURCE)
        for python in ("313", "314"):
            for platform in IOS:
                index.wheel(f"cp{python}-cp{python}-{platform}", ios_files(python, platform))
        said = forge("new", "demo")
        assert said.code == 0
        assert said.out == snapshot
        assert recipes(forge) == ["multidict/recipe.yaml"]

    @pytest.mark.usefixtures("resolved")
    def test_ios_wheels_of_which_one_is_missing(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        index.sdist(SOURCE)
        for platform in IOS[:2]:
            index.wheel(f"cp313-cp313-{platform}", ios_files("313", platform))
        said = forge("new", "demo")
        assert said.code == 0
        assert said.out == snapshot
        assert "demo/recipe.yaml" in recipes(forge)

    @pytest.mark.usefixtures("resolved")
    def test_ios_wheels_of_an_older_version(self, forge: Forge, index: Index) -> None:
        index.sdist(SOURCE)
        index.wheel(f"cp313-cp313-{IOS[0]}", {}, version="0.9")
        assert "the newest version with iOS wheels is 0.9\n" in forge("new", "demo").out

    def test_a_pure_package(self, forge: Forge, index: Index) -> None:
        index.sdist(SOURCE)
        index.wheel("py3-none-any", {"demo/__init__.py": b""})
        said = forge("new", "demo")
        expected = "no recipe is needed: demo 1.0 is pure Python, and its wheel installs on iOS\n"
        assert (said.code, said.out) == (0, expected)

    def test_a_pure_package_that_requires_a_compiled_one(self, forge: Forge, index: Index) -> None:
        """As polars does: its machine code is in another project, polars-runtime-32."""
        index.sdist(SOURCE)
        index.wheel("py3-none-any", {"demo/__init__.py": b""}, more="Requires-Dist: runtime\nRequires-Dist: pure\n")
        index.wheel("cp313-cp313-macosx_11_0_arm64", {}, name="runtime")
        index.wheel("py3-none-any", {}, name="pure")
        said = forge("new", "demo")
        assert said.code == 0
        assert said.out.splitlines()[1:] == [
            "  but it requires runtime, which has compiled code and neither recipe nor iOS wheels"
        ]

    def test_compiled_for_older_pythons_only(self, forge: Forge, index: Index) -> None:
        index.sdist(SOURCE)
        index.wheel("py3-none-any", {"demo/__init__.py": b""})
        index.wheel("cp310-cp310-macosx_11_0_arm64", {SO: extension()})
        assert "for Python 3.13 it is pure Python" in forge("new", "demo").out

    @pytest.mark.usefixtures("resolved")
    def test_anyway(self, forge: Forge, index: Index) -> None:
        index.sdist(SOURCE)
        index.wheel("py3-none-any", {"demo/__init__.py": b""})
        assert forge("new", "demo", "--anyway").code == 0
        assert "demo/recipe.yaml" in recipes(forge)


class TestRefused:
    @pytest.mark.parametrize("asked", ["demo>=1", "demo==", "demo==one", "", "-x=1"])
    def test_what_is_no_name(self, forge: Forge, index: Index, asked: str) -> None:
        assert forge("new", "--", asked).code == 2

    def test_an_existing_recipe(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        said = forge("new", "MultiDict")
        assert said.code == 3
        assert said.err == snapshot

    def test_a_directory_that_is_no_recipe(self, forge: Forge, index: Index) -> None:
        (forge.root / "recipes" / "demo").mkdir()
        said = forge("new", "demo")
        assert said.code == 3
        assert "recipes/demo is there already, and is no recipe" in said.err

    def test_an_unknown_project(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        said = forge("new", "multidct")
        assert said.code == 4
        assert forge.plain(said.err) == snapshot

    def test_an_unknown_version(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        for version in ("0.9", "1.0", "1.1.1", "2.0", "3.0", "4.0", "5.0"):
            index.sdist(SOURCE, version=version)
        said = forge("new", "demo==1.1")
        assert said.code == 4
        assert forge.plain(said.err) == snapshot

    def test_no_sdist(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        index.wheel(MACOS, {SO: extension()})
        index.sdist(SOURCE, version="0.9")
        said = forge("new", "demo==1.0")
        assert said.code == 4
        assert forge.plain(said.err) == snapshot

    def test_a_placeholder(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        index.sdist({"setup.py": "from setuptools import setup\nsetup()\n"})
        said = forge("new", "demo")
        assert said.code == 4
        assert forge.plain(said.err) == snapshot

    def test_cmake(self, forge: Forge, index: Index) -> None:
        pyproject = "[build-system]\nrequires = ['scikit-build-core']\nbuild-backend = 'scikit_build_core.build'\n"
        index.sdist({"pyproject.toml": pyproject, "CMakeLists.txt": "", "demo/_x.cpp": ""})
        said = forge("new", "demo")
        assert said.code == 8, "nothing can be locked: this index has no back end"
        assert "CMake" not in said.err, "it is not refused"
        assert recipes(forge) == ["multidict/recipe.yaml"]

    def test_pure_without_a_wheel(self, forge: Forge, index: Index) -> None:
        index.sdist({"setup.py": SETUP.partition("ext")[0] + ")", "demo.py": "x = 1\n"})
        said = forge("new", "demo")
        assert said.code == 3
        assert "has no compiled code: it needs no recipe" in said.err

    def test_a_package_for_older_pythons(self, forge: Forge, index: Index) -> None:
        index.sdist(SOURCE)
        index.wheel("cp310-cp310-macosx_11_0_arm64", {SO: extension()}, more="Requires-Python: >=3.8,<3.11\n")
        said = forge("new", "demo")
        assert said.code == 3
        assert "demo 1.0 is for Python >=3.8,<3.11; iOS has 3.13 and later" in said.err

    def test_nothing_is_left_if_the_lock_cannot_be_made(
        self, forge: Forge, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*_: object, **__: object) -> None:
            raise BuildError("no version fits")

        monkeypatch.setattr(lock_module, "resolve_lock", failing)
        index.sdist(SOURCE)
        assert forge("new", "demo").code == 8
        assert recipes(forge) == ["multidict/recipe.yaml"]
        assert [path.name for path in (forge.root / "recipes").iterdir()] == ["multidict"]


@pytest.mark.usefixtures("resolved", "no_toolchain")
class TestTry:
    """Built for real, with the Python that runs the tests."""

    @pytest.fixture(autouse=True)
    def context(self, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbench, "plan_context", lambda *_: make_context(forge.root))

    def package(self, index: Index, tmp_path: Path, body: str, *more: str, pure: bool = False) -> None:
        files = {f"demo/{name}.cpython-313-iphoneos.so": macho(exports=(f"_PyInit_{name}",)) for name in more}
        wheel = make_wheel(tmp_path / "w", {"demo/__init__.py": b"", MODULE: macho(exports=("_PyInit__x",)), **files},
                           name="demo", metadata=METADATA.format(version="1.0"))  # fmt: skip
        plain = make_wheel(tmp_path / "p", {"demo/__init__.py": b""}, name="demo", tag="py3-none-any",
                           metadata=METADATA.format(version="1.0"))  # fmt: skip
        index.sdist(
            {
                "pyproject.toml": PYPROJECT.replace("requires = []", "requires = ['setuptools']"),
                "backend.py": BACKEND.replace("{body}", body) + MAKE_PURE,
                **({f"pure/{plain.name}": plain.read_bytes()} if pure else {}),
                wheel.name: wheel.read_bytes(),
                "demo/_x.c": "",
            }
        )
        index.wheel(MACOS, {SO: extension(), "demo/_mac.cpython-313-darwin.so": macho(exports=("_PyInit__mac",))})

    def said(self, forge: Forge, *options: str) -> str:
        said = forge("new", "demo", "--try", *options)
        assert said.code == 0, said.err
        return said.out.partition("  tried:\n")[2]

    def test_the_first_build_succeeds(self, forge: Forge, index: Index, tmp_path: Path) -> None:
        self.package(index, tmp_path, "pass", "_mac", "_more")
        tried = self.said(forge)
        assert tried.startswith("    1. as it was written: built\n  wheel: dist/demo-1.0-cp313-cp313-ios_12_0_arm64")
        table = (forge.root / "recipes" / "demo" / "extension-modules.txt").read_text()
        assert table.endswith("demo._mac   all\ndemo._more  all\ndemo._x     all\n")

    def test_mends_one_after_the_other(
        self, forge: Forge, index: Index, tmp_path: Path, snapshot: SnapshotAssertion
    ) -> None:
        io = "AttributeError: module 'io' has no attribute 'x'"
        scm = "LookupError: setuptools-scm was unable to detect version for x."
        body = (
            f"if os.environ.get('PYTHONSAFEPATH') != '1': sys.exit({io!r})\n"
            f"    if os.environ.get('SETUPTOOLS_SCM_PRETEND_VERSION') != '1.0': sys.exit({scm!r})"
        )
        self.package(index, tmp_path, body)
        assert self.said(forge) == snapshot
        text = (forge.root / "recipes" / "demo" / "recipe.yaml").read_text()
        assert text[text.index("build:") : text.index("test:")] == snapshot
        table = (forge.root / "recipes" / "demo" / "extension-modules.txt").read_text()
        assert "demo._mac  none  # Unsure: the build for iOS did not make it\n" in table
        assert forge("lint", "demo").out == "1 recipe checked, 0 errors, 0 warnings\n"

    def test_one_that_changes_nothing_is_taken_back(
        self, forge: Forge, index: Index, tmp_path: Path, snapshot: SnapshotAssertion, resolved: list[list[str]]
    ) -> None:
        self.package(index, tmp_path, "sys.exit('Error compiling Cython file:')")
        said = forge("new", "demo", "--try")
        assert said.code == 8
        assert said.out.partition("  tried:\n")[2] == snapshot
        assert "cause: Cython refuses the source" in said.err
        assert "cython" not in (forge.root / "recipes" / "demo" / "recipe.yaml").read_text()
        assert "cython" not in (forge.root / "recipes" / "demo" / "build-requirements.lock").read_text()
        assert len(resolved) == 2, "the first lock was kept"

    def test_compiled_code_that_is_off_by_default(
        self, forge: Forge, index: Index, tmp_path: Path, snapshot: SnapshotAssertion
    ) -> None:
        self.package(
            index, tmp_path,
            "on = os.environ.get('DEMO_USE_C') == '1'; os.environ.get('CIBUILDWHEEL')\n"
            "    if not on: return make_pure(wheel_directory)\n",
            "_mac", pure=True,
        )  # fmt: skip
        assert self.said(forge) == snapshot

    def test_a_module_of_an_unknown_name_is_not_installed(self, forge: Forge, index: Index, tmp_path: Path) -> None:
        self.package(index, tmp_path, "sys.exit(\"ModuleNotFoundError: No module named 'nobody_knows'\")")
        index.sdist({}, name="nobody-knows")
        said = forge("new", "demo", "--try")
        assert said.code == 8
        assert said.out.partition("  tried:\n")[2].count("\n") == 1

    def test_the_lock_of_a_mend_cannot_be_made(
        self, forge: Forge, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make: Callable[..., object] = vars(lock_module)["resolve_lock"]

        def failing(home: object, requires: list[str], *more: object, **named: object) -> object:
            if any(text.startswith("cython") for text in requires):
                raise BuildError("pip found no versions that fit")
            return make(home, requires, *more, **named)

        monkeypatch.setattr(lock_module, "resolve_lock", failing)
        self.package(index, tmp_path, "sys.exit('Error compiling Cython file:')")
        said = forge("new", "demo", "--try")
        assert "2. build.requires: cython<3.1: pip found no versions that fit (taken back)\n" in said.out
        assert (forge.root / "recipes" / "demo" / "build-requirements.lock").is_file()


def test_a_recipe_of_the_fakes_is_never_overwritten(forge: Forge, index: Index) -> None:
    directory = write_recipe(forge.root / "recipes")
    before = (directory / "recipe.yaml").read_bytes()
    index.sdist(SOURCE)
    assert forge("new", "demo", "--anyway").code == 3
    assert (directory / "recipe.yaml").read_bytes() == before
