"""Each rule: a recipe that has the fault, with what is said and where; the clean one has none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.lint.rules import all_rules
from forge.lint.run import lint_recipes
from forge.recipe.store import RecipeStore
from tests.unit.lint.conftest import CLEAN, LIBRARY, LOCK, SHA, changed, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.lint.conftest import Lint

DIFF = "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n"
WITH_PATCH = (f"sha256: {SHA}\n", f"sha256: {SHA}\n  patches:\n    - patches/0001.patch\n")
HOST = ("build:\n  backend: setuptools\n", "build:\n  backend: setuptools\n\nrequirements:\n  host:\n    - libdemo\n")
VARIANT = 'variants:\n  fast:\n    summary: A fast one\n    ios_version: ">=16.4"\n\nsource:\n'
Case = tuple[tuple[str, ...], "Mapping[str, str | None]"]


def one(*changes: tuple[str, str], **files: str | None) -> Case:
    return (changed(*changes),), {f"demo/{name.replace(chr(95) * 2, chr(47))}": text for name, text in files.items()}


def with_files(files: Mapping[str, str | None], *changes: tuple[str, str]) -> Case:
    return (changed(*changes),), files


def library(*changes: tuple[str, str], user: bool = False) -> Case:
    recipes = (changed(*changes, of=LIBRARY),)
    return ((changed(HOST), *recipes) if user else recipes), {}


FAULTS: Mapping[str, tuple[str, Case]] = {
    "unknown key": ("REC001", one(("schema: 2\n", "schema: 2\nsources: x\n"))),
    "not YAML": ("REC001", one(("summary: A demonstration", "summary: [A"))),
    "short hash": ("REC002", one((SHA, "2e9ad7"))),
    "no hash": ("REC002", one((f"  sdist:\n    sha256: {SHA}\n", "  sdist: {}\n"))),
    "not SPDX": ("REC003", one(("license: MIT", "license: GPL"))),
    "directory of another name": ("REC004", ((), {"other/recipe.yaml": CLEAN})),
    "spelling of the directory": ("REC004", ((), {"Demo/recipe.yaml": CLEAN, "Demo/build-requirements.lock": LOCK})),
    "specifier that never holds": (
        "REC005", one(("    - demo\n", "    - {value: demo, when: {python: \"<3.10\"}}\n"))),
    "target that is none": (
        "REC005", one(("    - demo\n", "    - {value: demo, when: {abi: iphoneos, arch: x86_64}}\n"))),
    "Python that is not supported": (
        "REC005",
        one(("version: 1.2.3\n", "version: 1.2.3\n  python: \">=3.14\"\n"),
            ("    - demo\n", "    - {value: demo, when: {python: \"<3.14\"}}\n"))),
    "iOS that the variant does not admit": (
        "REC005",
        one(("source:\n", VARIANT),
            ("    - demo\n",
             "    - demo\n    - {value: x, when: {variant: fast}}\n"
             "    - {value: demo, when: {variant: fast, ios_version: \"<16\"}}\n"))),
    "no schema line": ("REC101", one(("# yaml-language-server: $schema=../../schemas/recipe.schema.json\n", ""))),
    "schema line of another place": ("REC101", one(("../../schemas", "../schemas"))),
    "key order": ("REC102", one(("  name: demo\n  version: 1.2.3\n", "  version: 1.2.3\n  name: demo\n"))),
    "ignore without a reason": ("REC103", one(("    - demo\n", "    - demo  # forge: ignore[REC105]\n"))),
    "ignore without a rule": ("REC103", one(("    - demo\n", "    - demo  # forge: ignore it is fine\n"))),
    "ignore of an unknown rule": ("REC103", one(("    - demo\n", "    - demo  # forge: ignore[REC999] fine\n"))),
    "unused ignore": ("REC104", one(("    - demo\n", "    - demo  # forge: ignore[REC105] it is fine\n"))),
    "listed twice": ("REC105", one(("    - demo\n", "    - demo\n    - demo\n"))),
    "no homepage": ("REC201", library(("  homepage: https://example.org\n", ""))),
    "no summary": ("REC202", library(("  summary: A library\n", ""))),
    "full stop": ("REC203", one(("A demonstration", "A demonstration."))),
    "long summary": ("REC203", one(("A demonstration", "A demonstration " * 8 + "again"))),
    "no licence": ("REC204", library(("  license: Zlib\n", ""))),
    "spelling of the licence": ("REC205", one(("license: MIT", "license: mit or apache-2.0"))),
    "no licence file": ("REC206", library(("\nwheel:\n  license_files: [LICENSE]\n", ""))),
    "linked without a licence": ("REC207", library(("license_files: [LICENSE]", "license_files: []"), user=True)),
    "no maintainer": (
        "REC208", ((CLEAN, changed(("source:\n", "maintainers: [\"@ada\"]\n\nsource:\n"), of=LIBRARY)), {})),
    "state that is over": (
        "REC209", one(("source:\n", "state: {disabled: starts processes, until: 1.2.0}\n\nsource:\n"))),
    "hash of nothing": (
        "REC301", one((SHA, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))),
    "made up hash": ("REC301", one((SHA, "ab" * 32))),
    "branch": ("REC302", library(("libdemo-${version}.tar.gz", "archive/refs/heads/v${version}.tar.gz"))),
    "latest release": ("REC302", library(("libdemo-${version}.tar.gz", "latest/libdemo-${version}.tar.gz"))),
    "no version": ("REC302", library(("libdemo-${version}.tar.gz", "libdemo.tar.gz"))),
    "literal version": ("REC303", library(("libdemo-${version}.tar.gz", "libdemo-2.0.1.tar.gz"))),
    "local source": ("REC304", one((f"  sdist:\n    sha256: {SHA}\n", "  path: ../..\n"))),
    "patch without a reason": ("REC305", one(WITH_PATCH, **{"patches__0001.patch": DIFF})),
    "unused patch": (
        "REC306", one(WITH_PATCH, **{"patches__0001.patch": f"Why.\n{DIFF}", "patches__0002.patch": f"Why.\n{DIFF}"})),
    "no version of a requirement": (
        "REC401",
        with_files({"demo/build-requirements.lock": LOCK.replace("setuptools\n", "cython\n", 1)},
                   ("  backend: setuptools\n", "  backend: setuptools\n  requires: [cython]\n"))),
    "no lock": ("REC402", with_files({"demo/build-requirements.lock": None})),
    "damaged lock": ("REC402", with_files({"demo/build-requirements.lock": "setuptools\n"})),
    "lock without a requirement": (
        "REC402", one(("  backend: setuptools\n", "  backend: setuptools\n  requires: [\"cython>=3\"]\n"))),
    "lock without a conditional requirement": (
        "REC402",
        one(("  backend: setuptools\n",
             "  backend: setuptools\n  requires: [{value: \"cython>=3\", when: {arch: x86_64}}]\n"))),
    "idle variant": ("REC403", one(("source:\n", VARIANT))),
    "host requirement of a library": (
        "REC404",
        ((changed(("\nwheel:", "\nrequirements:\n  host: [libx]\n\nwheel:"), of=LIBRARY),
          LIBRARY.replace("libdemo", "libx")), {})),
    "host requirement of a pure wheel": (
        "REC404",
        ((changed(HOST, ("\ntest:", "\nwheel:\n  native: false\n\ntest:")), LIBRARY), {})),
    "no recipe of a host requirement": ("REC405", one(HOST)),
    "no such version of a host requirement": (
        "REC405", ((changed((HOST[0], HOST[1].replace("libdemo", "libdemo>=3"))), LIBRARY), {})),
    "nothing promised": ("REC501", ((CLEAN,), {"demo/extension-modules.txt": None})),
    "no test": ("REC601", one(("\ntest:\n  imports:\n    - demo\n    - demo._speed\n", ""))),
    "no test of compiled code": ("REC602", one(("    - demo\n    - demo._speed\n", "    - demo\n"))),
    "test file of something else": (
        "REC602",
        one(("  imports:\n    - demo\n    - demo._speed\n", "  files: [tests/test_x.py]\n"),
            **{"tests__test_x.py": "import json\n"})),
}  # fmt: skip


def test_the_clean_recipes_have_no_findings(lint: Lint) -> None:
    assert said(lint(CLEAN, LIBRARY)) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(lint: Lint, fault: str, snapshot: SnapshotAssertion) -> None:
    id_, (recipes, files) = FAULTS[fault]
    report = lint(*recipes, files=files)
    assert id_ in {found.rule.id for found in report.findings}
    assert said(report) == snapshot


def test_every_rule_that_needs_no_network_has_a_fault() -> None:
    assert {id_ for id_, _ in FAULTS.values()} == {rule.id for rule in all_rules() if not rule.network}


class TestNoFault:
    def test_a_patch_whose_reason_is_in_the_recipe(self, lint: Lint) -> None:
        text = changed((WITH_PATCH[0], WITH_PATCH[1].replace("    - pat", "    # iOS has none.\n    - pat")))
        assert said(lint(text, files={"demo/patches/0001.patch": DIFF})) == []

    @pytest.mark.parametrize(
        "head", ["Why.\n", "From abc\nSubject: [PATCH] No fork\n---\n x.c | 2 +-\n", "No fork.\ndiff --git a b\n"]
    )
    def test_a_patch_with_words(self, lint: Lint, head: str) -> None:
        assert said(lint(changed(WITH_PATCH), files={"demo/patches/0001.patch": head + DIFF})) == []

    @pytest.mark.parametrize(
        "test", ["import demo", "from demo.sub import x", "import pytest\npytest.importorskip('demo')", "def broken("]
    )
    def test_a_test_file_that_imports_the_package(self, lint: Lint, test: str) -> None:
        text = changed(("  imports:\n    - demo\n    - demo._speed\n", "  files: [tests/test_x.py]\n"))
        assert said(lint(text, files={"demo/tests/test_x.py": test})) == []

    def test_a_variant_that_only_leaves_something_out(self, lint: Lint) -> None:
        text = changed(("source:\n", VARIANT), ("    - demo\n", "    - {value: demo, when: {variant: default}}\n"))
        assert said(lint(text)) == []

    def test_a_host_requirement_that_configure_finds(self, lint: Lint) -> None:
        user = changed(
            ("    - make install", "    - ./configure\n    - make install"),
            ("\nwheel:", "\nrequirements:\n  host: [libx]\n\nwheel:"),
            of=LIBRARY,
        )
        assert said(lint(user, LIBRARY.replace("libdemo", "libx"))) == []

    @pytest.mark.parametrize("address", ["libdemo-2_0_1.zip", "archive/0123456789abcdef0123456789abcdef01234567.zip"])
    def test_an_address_of_one_release(self, lint: Lint, address: str) -> None:
        assert said(lint(changed(("libdemo-${version}.tar.gz", address), of=LIBRARY))) == []


def test_one_recipe_of_several(lint: Lint) -> None:
    report = lint(changed(("license: MIT", "license: mit")), LIBRARY, names=["LibDemo"])
    assert (report.files, said(report)) == (1, [])


def test_forges_own_recipes_are_clean() -> None:
    root = Path(__file__).parents[3] / "recipes"
    assert said(lint_recipes(RecipeStore(root), ())) == []
