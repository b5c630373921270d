"""What a wrong recipe is told, word for word."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge.base.errors import RecipeError
from forge.base.target import select_targets
from forge.recipe import InvalidRecipeError, evaluate, parse_recipe, read_recipe
from tests.unit.effort import cases

from .conftest import GOOD, SHA

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from .conftest import WriteRecipe


def with_build(lines: str) -> str:
    return GOOD + "".join(f"  {line}\n" for line in lines.splitlines())


def with_variants(lines: str) -> str:
    return GOOD.replace("build:\n", "variants:\n" + "".join(f"  {line}\n" for line in lines.splitlines()) + "build:\n")


def with_source(lines: str) -> str:
    return GOOD.replace(f"  sdist: {{sha256: {SHA}}}", lines)


RICH = (
    with_source(f'  url: ["https://example.org/${{name}}"]\n  sha256: {SHA}\n  patches: []')
    + """\
  env: {A: &x "1", B: *x, C: {value: "${arch}", when: {abi: [iphoneos], python: ">=3.13"}}}
  config_settings: {a: [b, {value: c, when: {ios_version: ">=13"}}], d: e}
  requires: ["a>=1", {value: "b", when: {variant: [fast, default]}}]
variants: {fast: {summary: a, ios_version: ">=12"}}
about: {license: MIT}
wheel: {libraries: [a.b]}
"""
)

CASES: dict[str, str | bytes] = {
    "empty": "",
    "only a comment": "# nothing\n",
    "a list": "- a\n- b\n",
    "a word": "hello\n",
    "not utf-8": b"schema: 2\nabout: {summary: caf\xe9}\n",
    "a tab": "schema: 2\npackage:\n\tname: demo\n",
    "a control character": "schema: 2\nabout: {summary: a\x07b}\n",
    "an unclosed quote": 'schema: 2\npackage: {name: "demo}\n',
    "a colon in a value": "schema: 2\nabout: {}\nx: a: b\n",
    "bad indentation": "package:\n  name: demo\n version: 1\n",
    "an unknown alias": "schema: *one\n",
    "two documents": GOOD + "---\nschema: 2\n",
    "escape out of range": 'schema: "\\UFFFFFFFF"\n',
    "half a surrogate pair": GOOD + 'about: {summary: "\\ud800"}\n',
    "a tag": "schema: !!python/object:os.system 1\n",
    "a suite without arguments": GOOD + "test: {suite: {source: [tests]}}\n",
    "a test file that is not there": GOOD + "test: {files: [tests/test_x.py]}\n",
    "a test file elsewhere": GOOD + "test: {files: [/etc/passwd]}\n",
    "a suite elsewhere": GOOD + "test: {suite: {args: [x], source: [../tests]}}\n",
    "a test requirement": GOOD + "test: {requires: ['a b'], suite: {args: [x], requires: [']']}}\n",
    "a list as key": GOOD + "? [a, b]\n: c\n",
    "merge key": GOOD.replace("build:\n", "build: &b\n") + "about:\n  <<: *b\n",
    "key twice": GOOD + "source: {path: x}\n",
    "keys that are no strings": GOOD + "on: x\n1: y\n",
    "nested too deep": "schema: " + "[" * 40 + "]" * 40,
    "alias in itself": "schema: &a [*a]\n",
    "alias bomb": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef")),
    "too large": "# " + "x" * 300_000,
    "schema of the future": GOOD.replace("schema: 2", "schema: 3"),
    "version as a number": GOOD.replace("1.2.3", "3.10"),
    "version as a date": GOOD.replace("1.2.3", "2024-01-02"),
    "version is none": GOOD.replace("1.2.3", "v1.x"),
    "version is empty": GOOD.replace("1.2.3", ""),
    "name is none": GOOD.replace("name: demo", "name: de mo"),
    "name is no": GOOD.replace("name: demo", "name: no"),
    "name is another": GOOD.replace("name: demo", "name: Other_Name"),
    "unknown key": GOOD + "requirement: {host: []}\n",
    "unknown key with nothing near": GOOD + "xyzzy: 1\n",
    "unknown key inside": GOOD.replace("backend:", "back-end:"),
    "missing keys": "schema: 2\npackage: {name: demo}\n",
    "unknown backend": GOOD.replace("setuptools", "waf"),
    "two sources": with_source(f"  sdist: {{sha256: {SHA}}}\n  path: ../x"),
    "no source": with_source("  patches: []"),
    "source is empty": with_source(""),
    "url without hash": with_source("  url: [https://example.org/x.tar.gz]"),
    "url is no list": with_source(f"  url: https://example.org/x.tar.gz\n  sha256: {SHA}"),
    "url of another kind": with_source(f"  url: [ftp://example.org/x.tar.gz]\n  sha256: {SHA}"),
    "hash in the wrong place": with_source(f"  sdist: {{sha256: {SHA}}}\n  sha256: {SHA}"),
    "hash too short": with_source("  sdist: {sha256: abcdef}"),
    "git by a tag": with_source("  git: {url: 'https://example.org/x', revision: v1.0}"),
    "patch is not there": with_source(f"  sdist: {{sha256: {SHA}}}\n  patches: [patches/0001.patch]"),
    "patch outside": with_source(f"  sdist: {{sha256: {SHA}}}\n  patches: [../../etc/passwd]"),
    "unknown variable": with_build('requires: ["a==${verson}", "b>=${VERSION"]'),
    "variable in a folded string": with_build("env:\n  FLAGS: >\n    -a\n    ${sysroot}"),
    "bad requirement": with_build("requires: ['a b', '>=1', {value: 'c ==', when: {arch: arm64}}]"),
    "bad module": GOOD + "test: {imports: [a.b.so, a-b.c]}\n",
    "extensions in the recipe": GOOD + "wheel: {extensions: [a.b]}\n",
    "bad state": GOOD + "state: {disable: x, until: v3}\n",
    "state without a reason": GOOD + "state: {disabled: '', until: '3.0 '}\n",
    "state is a string": GOOD + "state: disabled\n",
    "bad libraries": GOOD + "wheel: {libraries: [a/b.so, a..b, '.a', '${name}._x', 'a b']}\n",
    "bad condition": with_build(
        "env:\n  A: {value: x, when: {abi: ipone, python: 3.13, ios_version: '14', archs: arm64}}"
    ),
    "empty condition": with_build("env:\n  A: {value: x, when: {}}\n  B: {value: x}\n  C: {when: {arch: []}}"),
    "no variants": with_build(
        "env:\n  A: {value: x, when: {variant: fast}}\n  B: {value: x, when: {variant: default}}"
    ),
    "unknown variant": with_variants("fast: {summary: x}")
    + "  env: {A: {value: x, when: {variant: fats}}, B: {value: x, when: {variant: [default, fast, zzz]}}}\n",
    "bad variants": with_variants(
        "Fast: {summary: x}\ndefault: {summary: x}\nfast: {}\nslow: {summary: x, ios: '>=13'}"
    ),
    "no specifier of a variant": with_variants("fast: {summary: x, ios_version: [16.4, '16.4', '>=13']}"),
    "variants in a list": with_variants("[fast]"),
    "bad env": with_build("env: {1A: x, B: 1, C: yes, D: [x], E: null}"),
    "bad settings": with_build("config_settings: {setup-args: [1.0, [x]]}"),
    "no maintainers": GOOD + "maintainers: []\n",
    "one maintainer": GOOD + "maintainers: ada@example.org\n",
    "a maintainer's name": GOOD + 'maintainers: [Ada, "@ada", "@ada"]\n',
    "bad licence": GOOD + "about: {license: GPL, homepage: example.org}\n",
    "native by a word": GOOD + "wheel: {native: 'true'}\n",
    "a mapping is due": GOOD + "test: [demo]\n",
    "wide characters": GOOD + "about: {summary: 日本語, homepagë: x}\n",
    "a long line": GOOD + f"about: {{summary: {'very ' * 40}long, licence: MIT}}\n",
    "many errors": GOOD + "".join(f"key{number}: x\n" for number in range(30)),
}


@pytest.mark.parametrize("case", CASES)
def test_message(case: str, write: WriteRecipe, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(InvalidRecipeError) as caught:
        read_recipe(write(CASES[case]))
    assert caught.value.message == snapshot


def test_the_errors_of_yaml_schema_and_content_come_together(write: WriteRecipe) -> None:
    text = GOOD.replace("1.2.3", "x.y") + "about: {license: GPL}\nabout: {}\nxyz: 1\n"
    with pytest.raises(InvalidRecipeError) as caught:
        read_recipe(write(text))
    assert [each.where.line for each in caught.value.diagnostics] == [4, 9, 10, 11]


TOKENS = st.sampled_from(
    [
        *"{}[]&*!|>'\"\n",
        ": ",
        "- ",
        "null",
        "1.0",
        "when",
        "value",
        "!!int ",
        "!!map ",
        "<<: ",
        "? ",
        "{}",
        "[]",
        "${",
    ]
)
CUTS = st.tuples(st.integers(0, len(RICH)), st.sampled_from([0, 1, 4, 20]), TOKENS | st.just(""))


@settings(max_examples=cases(100))
@given(st.lists(CUTS, min_size=1, max_size=4))
def test_any_damage_gives_a_recipe_or_a_recipe_error(cuts: list[tuple[int, int, str]]) -> None:
    text = RICH
    for start, length, token in cuts:
        text = text[:start] + token + text[start + length :]
    with contextlib.suppress(RecipeError):
        recipe = parse_recipe(text.encode(), Path("recipes/demo/recipe.yaml"))
        for target in select_targets():
            evaluate(recipe, target, "3.13", [variant.name for variant in recipe.variants])


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is no recipe .*nowhere"):
        read_recipe(tmp_path / "nowhere")


def test_a_recipe_that_cannot_be_read(write: WriteRecipe, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "recipe.yaml").mkdir()
    with pytest.raises(RecipeError, match="cannot read"):
        read_recipe(tmp_path / "x")
