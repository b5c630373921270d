"""The rules that need the network, with an upstream that is made up."""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from forge.base.errors import WheelError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.lint.network_checks import network_checks
from forge.lint.upstream import Upstream
from forge.source.fetch import prepare
from forge.source.index import IndexFile
from forge.source.pip_settings import PipSettings
from tests.unit.lint.conftest import CLEAN, LIBRARY, SHA, changed, said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from forge.lint.run import Report
    from forge.recipe.model import EvaluatedRecipe
    from tests.unit.lint.conftest import Lint

SDIST = IndexFile("demo-1.2.3.tar.gz", "1.2.3", True, "https://example.org/x", SHA)
WHEEL = "demo-1.2.3-cp313-cp313-macosx_11_0_arm64.whl"
HOST = ("build:\n  backend: setuptools\n", "build:\n  backend: setuptools\n\nrequirements:\n  host:\n    - libdemo\n")


@dataclass
class FakeUpstream:
    """What the network would say.

    Args:
        source: A directory, the package's source.
        offered: What the index has.
        wheel: The modules of the macOS wheel, or None if it cannot be read.
        wheels: The names of the macOS wheels.
    """

    source: Path
    offered: tuple[IndexFile, ...] = (SDIST,)
    wheel: frozenset[str] | None = frozenset({"demo._speed"})
    wheels: tuple[str, ...] = (WHEEL,)
    asked: list[str] = field(default_factory=list)

    def files(self, name: str) -> tuple[IndexFile, ...]:
        self.asked.append(name)
        return self.offered

    def macos_wheels(self, _name: str, version: str) -> tuple[IndexFile, ...]:
        return tuple(IndexFile(name, version, False, "https://example.org/w", SHA) for name in self.wheels)

    def modules(self, _wheel: IndexFile) -> frozenset[str]:
        if self.wheel is None:
            raise WheelError("it cannot be read")
        return self.wheel

    @contextlib.contextmanager
    def tree(self, _recipe: EvaluatedRecipe, patches: Sequence[Path] = ()) -> Iterator[Path]:
        tree = self.source.parent / "tree"
        prepare(self.source, patches, tree, SilentProgress())
        yield tree


@pytest.fixture
def upstream(tmp_path: Path) -> FakeUpstream:
    source = tmp_path / "upstream" / "source"
    source.mkdir(parents=True)
    (source / "x.c").write_text("a\n")
    return FakeUpstream(source)


def run(lint: Lint, upstream: FakeUpstream, *recipes: str, files: dict[str, str | None] | None = None) -> list[str]:
    report: Report = lint(*recipes, files=files, names=["demo"], further=network_checks(cast("Upstream", upstream)))
    return said(report)


def test_nothing_to_say(lint: Lint, upstream: FakeUpstream) -> None:
    assert run(lint, upstream, CLEAN) == []
    assert upstream.asked == ["demo"]


def test_a_newer_version(lint: Lint, upstream: FakeUpstream) -> None:
    upstream.offered += tuple(
        IndexFile("x", v, True, "https://example.org/x", None) for v in ("1.2.10", "2.0rc1", "1.2.4")
    )
    assert run(lint, upstream, CLEAN) == ["recipes/demo/recipe.yaml:6:12: info REC309: the newest version is 1.2.10"]


@pytest.mark.parametrize("offered", [(), (IndexFile("x", "1.2.3", True, "https://example.org/x", "0" * 64),)])
def test_another_hash(lint: Lint, upstream: FakeUpstream, offered: tuple[IndexFile, ...]) -> None:
    upstream.offered = offered
    what = "another sha256" if offered else "no sdist of 1.2.3"
    assert run(lint, upstream, CLEAN) == [f"recipes/demo/recipe.yaml:15:13: error REC308: the index has {what}"]


class TestExtensions:
    def test_they_differ(self, lint: Lint, upstream: FakeUpstream) -> None:
        upstream.wheel = frozenset({"demo._a", "demo._b"})
        (line,) = run(lint, upstream, CLEAN)
        assert line.endswith(f"lacks demo._a, demo._b and adds demo._speed, compared with {WHEEL}")
        assert "extension-modules.txt:1:1: warning REC502" in line

    def test_with_reasons(self, lint: Lint, upstream: FakeUpstream) -> None:
        upstream.wheel = frozenset({"demo._a", "demo._b"})
        table = "demo._a none # iOS has no processes\ndemo._b none\ndemo._speed all # macOS has it elsewhere\n"
        (line,) = run(lint, upstream, CLEAN, files={"demo/extension-modules.txt": table})
        assert line.endswith(f"the table lacks demo._b, compared with {WHEEL}"), "that line has no comment"

    def test_libraries_are_none(self, lint: Lint, upstream: FakeUpstream) -> None:
        upstream.wheel = frozenset({"demo._speed", "demo._raw_a"})
        table: dict[str, str | None] = {"demo/extension-modules.txt": "demo._speed all\n"}
        text = changed(("\ntest:", "\nwheel:\n  libraries: [demo._raw_*]\n\ntest:"))
        assert run(lint, upstream, text, files=table) == []

    def test_a_wheel_that_cannot_be_read_says_nothing(self, lint: Lint, upstream: FakeUpstream) -> None:
        upstream.wheel = None
        assert run(lint, upstream, CLEAN) == []


class TestSource:
    PATCHED = (f"sha256: {SHA}\n", f"sha256: {SHA}\n  patches: [patches/0001.patch]  # why\n")

    def test_a_patch_that_applies(self, lint: Lint, upstream: FakeUpstream) -> None:
        patch = "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n"
        assert run(lint, upstream, changed(self.PATCHED), files={"demo/patches/0001.patch": patch}) == []

    def test_a_patch_that_does_not(self, lint: Lint, upstream: FakeUpstream) -> None:
        patch = "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-c\n+b\n"
        (line,) = run(lint, upstream, changed(self.PATCHED), files={"demo/patches/0001.patch": patch})
        assert line.startswith("recipes/demo/recipe.yaml:16:13: error REC307: the patch 0001.patch does not apply; ")
        assert "Hunk #1 FAILED" in line

    def test_a_host_requirement_that_nothing_mentions(self, lint: Lint, upstream: FakeUpstream) -> None:
        (upstream.source / "setup.py").write_text("setup()\n")
        (line,) = run(lint, upstream, changed(HOST), LIBRARY)
        assert line.endswith("REC404: neither the recipe nor the source mentions 'libdemo'")

    @pytest.mark.parametrize("text", ["libraries=['demo']", "PKG_CONFIG = 'libDemo'"])
    def test_one_that_the_source_mentions(self, lint: Lint, upstream: FakeUpstream, text: str) -> None:
        (upstream.source / "setup.py").write_text(text)
        assert run(lint, upstream, changed(HOST), LIBRARY) == []

    def test_a_comment_that_ignores_it_is_not_missed(self, lint: Lint, upstream: FakeUpstream) -> None:
        ignored = changed((HOST[0], HOST[1].replace("libdemo\n", "libdemo  # forge: ignore[REC404] by ctypes\n")))
        assert run(lint, upstream, ignored, LIBRARY) == []
        (upstream.source / "setup.py").write_text("demo")
        assert "REC104" in run(lint, upstream, ignored, LIBRARY)[0]
        assert said(lint(ignored, LIBRARY)) == []


class TestAbi3:
    CARGO = '[features]\ndefault = ["x"]\nabi3 = ["pyo3/abi3-py313"]\n'

    def test_a_feature_of_the_crate(self, lint: Lint, upstream: FakeUpstream) -> None:
        (upstream.source / "Cargo.toml").write_text(self.CARGO)
        recipe = changed(("backend: setuptools", "backend: maturin"))
        (line,) = run(lint, upstream, recipe)
        assert "18:3: info REC503: the feature 'abi3' of Cargo.toml can build" in line
        upstream.wheels = ("demo-1.2.3-cp311-abi3-macosx_11_0_arm64.whl",)
        assert run(lint, upstream, recipe) == []

    @pytest.mark.parametrize("cargo", ["[", "features = 1", '[features]\ndefault = ["abi3"]\nabi3 = ["pyo3/abi3"]'])
    def test_none(self, lint: Lint, upstream: FakeUpstream, cargo: str) -> None:
        (upstream.source / "Cargo.toml").write_text(cargo)
        assert run(lint, upstream, changed(("backend: setuptools", "backend: maturin"))) == []

    def test_setup_py(self, lint: Lint, upstream: FakeUpstream) -> None:
        (upstream.source / "setup.py").write_text("py_limited_api=bool(os.environ.get('X_LIMITED_API'))")
        (line,) = run(lint, upstream, CLEAN)
        assert "REC503: setup.py can build for the stable ABI" in line
        on = changed(("  backend: setuptools\n", '  backend: setuptools\n  env:\n    X_LIMITED_API: "1"\n'))
        assert run(lint, upstream, on) == []


class TestUpstream:
    @pytest.fixture
    def links(self, tmp_path: Path) -> Upstream:
        """An upstream whose index is a directory."""
        directory = tmp_path / "links"
        directory.mkdir()
        for python in ("cp313-cp313", "cp314-cp314", "cp315-cp315t", "cp39-abi3"):
            for platform in ("macosx_11_0_arm64", "manylinux_2_28_aarch64", "macosx_11_0_x86_64"):
                with zipfile.ZipFile(directory / f"demo-1.2.3-{python}-{platform}.whl", "w") as wheel:
                    wheel.writestr("demo/_speed.cpython-313-darwin.so", b"x")
                    wheel.writestr("demo/__init__.py", b"")
                    wheel.writestr("demo-1.2.3.dist-info/METADATA", b"")
        (directory / "demo-1.2.3.tar.gz").write_bytes(b"sdist")
        settings = PipSettings(index_url=None, find_links=(str(directory),))
        return Upstream(ForgeHome(tmp_path / "home"), SilentProgress(), settings)

    def test_the_newest_macos_wheel_is_the_last(self, links: Upstream) -> None:
        names = [file.filename for file in links.macos_wheels("Demo", "1.2.3.0")]
        assert names[-1] == "demo-1.2.3-cp314-cp314-macosx_11_0_arm64.whl"
        assert len(names) == 4
        assert links.macos_wheels("demo", "1.2.4") == ()
        assert links.modules(links.macos_wheels("demo", "1.2.3")[-1]) == {"demo._speed"}

    def test_files(self, links: Upstream) -> None:
        (sdist,) = (file for file in links.files("demo") if file.is_sdist)
        assert sdist.sha256 == hashlib.sha256(b"sdist").hexdigest()
        assert links.files("nothing") == ()
