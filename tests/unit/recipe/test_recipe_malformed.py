"""Malformed recipes: each is refused when it is read, at its place, with a hint, word for word."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import RecipeError
from forge.recipe import InvalidRecipeError, read_recipe
from forge.recipe.store import RecipeStore

from .conftest import GOOD, SHA

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from .conftest import LoadRecipe, WriteRecipe

SOURCE = f"  sdist: {{sha256: {SHA}}}"
NATIVE = GOOD.replace("backend: setuptools", "backend: script\n  script: [make]")


def version(text: str) -> str:
    return GOOD.replace("1.2.3", text)


def source(text: str) -> str:
    return GOOD.replace(SOURCE, text)


def build(text: str) -> str:
    return GOOD + f"  {text}\n"


def when(text: str) -> str:
    return build(f"env: {{A: {{value: x, when: {{{text}}}}}}}")


CASES: dict[str, str | bytes] = {
    "01 unclosed bracket": build("requires: [a"),
    "04 tab after a key": build("requires:\t[a]"),
    "44 version is a list": version("[1, 2]"),
    "57 all sections are missing": "schema: 2\n",
    "58 schema of the future": "schema: 3\npackage: {name: 1}\nlayout: new\n",
    "58 schema of the past": GOOD.replace("schema: 2", "schema: 1") + "wheel: {extensions: [a.b]}\n",
    "58 schema 0": GOOD.replace("schema: 2", "schema: 0"),
    "59 schema is a float": GOOD.replace("schema: 2", "schema: 2.0"),
    "59 schema is true": GOOD.replace("schema: 2", "schema: true"),
    "60 schema is a string": GOOD.replace("schema: 2", "schema: '2'"),
    "65 a URL as build requirement": build("requires: ['b @ ', 'b @ https://example.org/b.zip']"),
    "73 bad enumeration": when("abi: ios, arch: arm"),
    "74 bad specifiers": when("python: '3.13', ios_version: '13'"),
    "90 reserved variables": build(
        "env: {PATH: x, HOME: x, SOURCE_DATE_EPOCH: x, FORGE_PREFIX_MAP: x, PKG_CONFIG_LIBDIR: x, PATHS: x, 'A B': x}"
    ),
    "93 script with setuptools": build("script: [make]"),
    "options with setuptools": build("options: [-DX=1]"),
    "options with script": GOOD.replace("setuptools", "script") + "  script: [make]\n  options: [-DX=1]\n",
    "config settings of a library": GOOD.replace("setuptools", "cmake") + "  config_settings: {a: b}\n",
    "95 languages": build("languages: [go, rust, rust]"),
    "101 module names": GOOD + "test: {imports: [class.x, a.b.so, a/b, a..b, '']}\n",
    "102 licence files of a package": GOOD + "wheel: {license_files: [../LICENSE]}\n",
    "109 a line break in the summary": GOOD + 'about: {summary: "one\\nRequires-Dist: other\\n\\nbody"}\n',
    "111 version: a post release": version('"1.0.0-1"'),
    "114 variants": GOOD + "variants: {A: {summary: x}, slow: {summary: x, ios_version: '13'}, fast: {}}\n",
    "115 a file name with a slash": source(f"  sdist: {{sha256: {SHA}, filename: ../x.tar.gz}}"),
    "125 missing comma": GOOD + "about: {summary: a, license: b homepage: c}\n",
    "126 unquoted brace": GOOD + "test: {imports: {{name}}}\n",
    "126 unquoted variable": GOOD + "test: {imports: [${name}]}\n",
    "130 a long number": version("9" * 5000),
    "131 version with a v": version("v1.2.3"),
    "131 version: a release candidate": version("1.0.0RC1"),
    "131 version with zeros": version('"01.0"'),
    "132 version with spaces": version('" 1.2.3 "'),
    "133 version with a line break": version('"1.2.3\\n"'),
    "135 sha256 with a line break": source(f'  sdist: {{sha256: "{SHA}\\n"}}'),
    "136 revision with a line break": source(f'  git: {{url: "https://example.org/x", revision: "{"a1" * 20}\\n"}}'),
    "137 variable with a line break": build('env: {"A\\n": x}'),
    "138 a path of an unknown user": source("  path: ~nosuchuser-forge/x"),
    "139 libraries of a pure wheel": GOOD + "wheel: {native: false, libraries: [a.c]}\n",
    "a pure wheel that depends on the target": GOOD
    + "  env: {A: {value: x, when: {arch: arm64}}, B: '${multiarch} ${version} $${abi}'}\n"
    + "  requires: [{value: a, when: {abi: iphoneos, python: '>=3.13'}}]\n"
    + "wheel: {native: false}\ntest: {imports: [{value: a, when: {abi: iphoneos}}]}\n",
    "140 a native library's keys": NATIVE + "  config_settings: {a: b}\nwheel: {libraries: [a.c]}\n",
    "141 licence files with setuptools": GOOD + "wheel: {license_files: [LICENSE]}\n",
    "149 a URL as host requirement": GOOD + "requirements: {host: ['lib @ https://example.org/x.whl']}\n",
    "150 extras of a host requirement": GOOD + "requirements: {host: ['lib[fast]>=1']}\n",
    "156 a marker that compares badly": GOOD + "requirements: {run: ['lib; python_version ~= \"x\"']}\n",
    "157 a patch release of Python": when("python: '>=3.13.2'"),
    "158 arbitrary equality": when("python: '===foo', ios_version: ['<12.0', '>=14']"),
    "161 another case": GOOD.replace("schema", "Schema"),
    "168 a folded summary": GOOD + "about:\n  summary: >\n    one\n\n    two\n",
    "179 an unknown backend and a script": GOOD.replace("setuptools", "waf") + "  script: [x]\n",
    "versions of Python that are none": version("1.2.3\n  python: 3.14 or later"),
    "a patch release of Python that is supported": version("1.2.3\n  python: '>=3.14.1'"),
    "no version of Python": version("1.2.3\n  python: '<3.13'"),
    "versions of Python in a list": version("1.2.3\n  python: ['>=3.14']"),
    "a requirement with a line break": build('requires: ["a>=1\\n"]'),
    "a variant's summary with a line break": GOOD + 'variants: {fast: {summary: "a\\nb"}}\n',
    "a homepage with a line break": GOOD + 'about: {homepage: "https://example.org/\\n", license: "MIT\\n"}\n',
}


@pytest.mark.parametrize("case", CASES)
def test_message(case: str, write: WriteRecipe, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(InvalidRecipeError) as caught:
        read_recipe(write(CASES[case]))
    assert caught.value.message == snapshot
    assert all(each.hint for each in caught.value.diagnostics)


def test_patches_that_cannot_be_used(write: WriteRecipe, snapshot: SnapshotAssertion) -> None:
    names = ["empty.patch", "link.patch", "directory.patch", "x" * 5000 + ".patch"]
    directory = write(source(SOURCE + "\n  patches:\n" + "".join(f"    - {name}\n" for name in names)))
    (directory / "empty.patch").touch()
    (directory / "link.patch").symlink_to("/etc/passwd")
    (directory / "directory.patch").mkdir()
    with pytest.raises(InvalidRecipeError) as caught:
        read_recipe(directory)
    assert caught.value.message == snapshot


@pytest.mark.parametrize("kind", ["directory", "pipe", "device"])
def test_what_is_not_a_file_is_not_read(write: WriteRecipe, kind: str, snapshot: SnapshotAssertion) -> None:
    file = write(GOOD) / "recipe.yaml"
    file.unlink()
    match kind:
        case "directory":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case _:
            file.symlink_to("/dev/zero")
    for named in (file, file.parent):
        with pytest.raises(RecipeError) as caught:
            read_recipe(named)
        assert (caught.value.message, caught.value.hint) == snapshot(name=kind)


def test_a_recipes_directory_may_be_a_link(write: WriteRecipe, tmp_path: Path) -> None:
    shutil.move(write(GOOD), tmp_path / "real")
    (tmp_path / "recipes" / "demo").symlink_to(tmp_path / "real")
    recipe = RecipeStore(tmp_path / "recipes").load("demo")
    assert recipe.directory == tmp_path / "recipes" / "demo"


def test_two_spellings_of_one_name(write: WriteRecipe, tmp_path: Path) -> None:
    write(GOOD.replace("name: demo", "name: de-mo"), name="de-mo")
    write(GOOD.replace("name: demo", "name: de-mo"), name="De_Mo")
    with pytest.raises(RecipeError, match=r"2 recipes of one name, 'de-mo': recipes/De_Mo, recipes/de-mo"):
        RecipeStore(tmp_path / "recipes").load("de.mo")


def test_a_licence_is_kept_in_its_canonical_spelling(load: LoadRecipe) -> None:
    assert load(GOOD + "about: {license: mit OR apache-2.0}\n").about.license == "MIT OR Apache-2.0"


def test_the_errors_of_all_recipes_come_together(write: WriteRecipe, tmp_path: Path) -> None:
    write(version("v1"), name="demo")
    write(GOOD.replace("name: demo", "name: b").replace("setuptools", "x"), name="b")
    with pytest.raises(RecipeError) as caught:
        RecipeStore(tmp_path / "recipes").load_all(["demo", "nosuch", "b"])
    assert [line for line in caught.value.message.splitlines() if line.startswith(("there", "recipes"))] == [
        "there is no recipe 'nosuch' in recipes",
        "recipes/b/recipe.yaml:8:12: build.backend cannot be 'x'",
        "recipes/demo/recipe.yaml:4:12: the version 'v1' is not in its canonical form (PEP 440)",
    ]
