"""Mends of the catalogue applied to drafts, and builds that they move forward or do not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.authoring.draft import Draft, Item
from forge.authoring.mends import Mender
from forge.authoring.trying import MOST_MENDS, try_recipe
from forge.base.errors import BuildError, NetworkError, WheelError
from forge.failures.match import explain_lines
from forge.recipe.model import Backend, Language

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge.base.errors import ForgeError

DRAFT = Draft("demo", "1.0", "ab" * 32, Backend.SETUPTOOLS, extensions=("demo._a", "demo._b"))
VERSIONS = {"setuptools-scm": "8.1.2", "ninja": "1.13"}
MENDER = Mender(("libffi", "libyaml", "numpy", "openssl"), ("libffi", "libyaml", "openssl"), VERSIONS.get)


def mended(line: str, draft: Draft = DRAFT) -> list[tuple[str, Draft]]:
    return [(mend.said, mend.draft) for mend in MENDER.mends(draft, explain_lines([line]).matches[0])]


def one(line: str, draft: Draft = DRAFT) -> tuple[str, Draft]:
    (mend,) = mended(line, draft)
    return mend


class TestMender:
    def test_a_package_s_headers(self) -> None:
        said, draft = one("error: x belongs to the build machine's numpy: list numpy under requirements.host")
        assert said == "requirements.host: numpy"
        assert draft.host == (Item("numpy", "added for the failure header-of-build-machine"),)

    @pytest.mark.parametrize(
        ("line", "recipe"),
        [
            ("x.c:1:2: fatal error: 'yaml.h' file not found", "libyaml"),
            ("ld64.lld: error: library not found for -lyaml", "libyaml"),
            ("ld64.lld: error: library not found for -lcrypto", "openssl"),
            ("x.c:1:2: fatal error: 'ffi.h' file not found", "libffi"),
        ],
    )
    def test_a_library(self, line: str, recipe: str) -> None:
        said, draft = one(line, DRAFT.with_variable("CFLAGS", "-O1", ""))
        assert said == f"requirements.host: {recipe}"
        assert [item.text for item in draft.host] == [recipe]
        assert {name: item.text for name, item in draft.env.items()} == {
            "CFLAGS": "-O1 -I${host_prefix}/opt/include", "LDFLAGS": "-L${host_prefix}/opt/lib",
        }  # fmt: skip
        assert mended(line, draft) == []

    def test_meson_finds_libraries_itself(self) -> None:
        line = "x.c:1:2: fatal error: 'yaml.h' file not found"
        assert one(line, replace(DRAFT, backend=Backend.MESON_PYTHON))[1].env == {}

    @pytest.mark.parametrize(
        "line",
        [
            "x.c:1:2: fatal error: 'png.h' file not found", "ld64.lld: error: library not found for -lpng",
            "ModuleNotFoundError: No module named 'nobody_knows'", "ModuleNotFoundError: No module named 'maturin'",
            "../meson.build:17:9: ERROR: Program 'anything' not found", "clang++: error: x: Killed",
            "missing-extension: other._x is missing; the wheel's extensions: demo._a",
        ],
    )  # fmt: skip
    def test_what_cannot_be_mended(self, line: str) -> None:
        assert mended(line) == []

    def test_several_changes(self) -> None:
        said, draft = one("Could not find directory of OpenSSL installation, and this")
        assert said == (
            "requirements.host: openssl; build.env.OPENSSL_DIR: ${host_prefix}/opt; build.env.OPENSSL_STATIC: 1"
        )
        assert set(draft.env) == {"OPENSSL_DIR", "OPENSSL_STATIC"}

    def test_build_requirements(self) -> None:
        line = "ModuleNotFoundError: No module named 'setuptools_scm'"
        assert one(line)[0] == "build.requires: setuptools-scm>=8.1"
        older = DRAFT.with_build_requirement("setuptools>=70", "")
        assert [
            item.text for item in one("ModuleNotFoundError: No module named 'pkg_resources'", older)[1].requires
        ] == ["setuptools<81"]

    def test_languages_and_flags(self) -> None:
        assert one("error: can't find Rust compiler")[1].languages == (Language.RUST,)
        said, draft = one("a.cpp:1:2: error: no member named 'optional' in namespace 'std'")
        assert said == "build.env.CXXFLAGS: -std=c++17"
        assert draft.env["CXXFLAGS"].text == "-std=c++17"

    def test_switches_one_by_one(self) -> None:
        draft = replace(DRAFT.with_variable("B", "0", ""), switches=("A", "B", "C"))
        line = "error IOS103 not-native: the wheel holds nothing compiled"
        assert [said for said, _ in mended(line, draft)] == ["build.env.A: 1", "build.env.C: 1"]

    def test_an_extension_that_ios_has_not(self) -> None:
        draft = one("missing-extension: demo._b is missing; the wheel's extensions: demo._a")[1]
        assert (draft.extensions, draft.left_out) == (("demo._a",), ("demo._b",))
        assert mended("missing-extension: demo._a is missing; the wheel's extensions: x", draft) == []


@dataclass
class FakeBench:
    """Builds that go as a function of the draft says: an error, or None for a wheel."""

    draft: Draft
    outcome: Callable[[Draft], ForgeError | None]
    builds: list[Draft] = field(default_factory=list)

    def write(self, draft: Draft) -> None:
        self.draft = draft

    def build(self) -> Path:
        self.builds.append(self.draft)
        if (error := self.outcome(self.draft)) is not None:
            raise error
        return Path("demo.whl")

    def log(self) -> Path | None:
        return None


def tried(outcome: Callable[[Draft], ForgeError | None], draft: Draft = DRAFT) -> tuple[FakeBench, Sequence[str]]:
    bench = FakeBench(draft, outcome)
    result = try_recipe(draft, bench, MENDER)
    assert result.draft == bench.draft, "what is written is what is said"
    assert (result.wheel is None) == (result.error is not None)
    return bench, [f"{each.mend or '-'}: {'kept' if each.kept else 'back'}" for each in result.attempts]


class TestTrying:
    def test_no_end_of_failures(self) -> None:
        """Each build fails at another library, for all of which there is a mend: it ends all the same."""
        names = iter(f"X_USE_{number}" for number in range(100))

        def outcome(draft: Draft) -> ForgeError:
            return BuildError(f"error IOS103 not-native: the wheel holds nothing compiled {next(names)}")

        draft = replace(DRAFT, switches=tuple(f"S{number}" for number in range(50)))
        bench, attempts = tried(outcome, draft)
        assert len(bench.builds) == len(attempts) == MOST_MENDS + 1

    def test_switches_in_vain_are_taken_back(self) -> None:
        def outcome(draft: Draft) -> ForgeError | None:
            return None if "C" in draft.env else WheelError("error IOS103 not-native: the wheel holds nothing compiled")

        bench, attempts = tried(outcome, replace(DRAFT, switches=("A", "B", "C")))
        assert attempts == ["-: kept", "build.env.A: 1: back", "build.env.B: 1: back", "build.env.C: 1: kept"]
        assert set(bench.draft.env) == {"C"}

    def test_an_unknown_failure_is_left_alone(self) -> None:
        _, attempts = tried(lambda _: BuildError("something else"))
        assert attempts == ["-: kept"]

    def test_what_is_not_the_recipe_s_fault_ends_it(self) -> None:
        with pytest.raises(NetworkError):
            tried(lambda _: NetworkError("nobody answers"))
