"""What releases tell the back end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.authoring.back_end import back_end_of
from forge.authoring.settings import release_settings
from tests.unit.authoring.source_trees import system, tree

if TYPE_CHECKING:
    from pathlib import Path


class TestSettings:
    def settings(self, path: Path, pyproject: str, wheel: str = "") -> dict[str, list[str]]:
        found = tree(path, pyproject_dot_toml=pyproject)
        made = release_settings(found, back_end_of(found), wheel)
        return {name: [item.text for item in items] for name, items in made.items()}

    @pytest.mark.parametrize(
        ("table", "found"),
        [
            ("config-settings = 'setup-args=-Da=b setup-args=-Dc=d compile-args=-j4'",
             {"setup-args": ["-Da=b", "-Dc=d"], "compile-args": ["-j4"]}),
            ("config-settings = {'cmake.define.X' = 'ON', 'setup-args' = ['-Da=b', '-Dc=d']}",
             {"cmake.define.X": ["ON"], "setup-args": ["-Da=b", "-Dc=d"]}),
            ("config-settings = 'prefix=/usr/local quoted'", {}),
            ("config-settings = 'a=\"'", {}),
            ("ios = {config-settings = 'a=b'}", {"a": ["b"]}),
        ],
    )  # fmt: skip
    def test_of_cibuildwheel(self, tmp_path: Path, table: str, found: dict[str, list[str]]) -> None:
        assert self.settings(tmp_path, system("mesonpy", more=f"[tool.cibuildwheel]\n{table}\n")) == found

    @pytest.mark.parametrize(
        ("backend", "more", "tag", "found"),
        [
            ("scikit_build_core.build", "", "cp312-abi3", {"wheel.py-api": ["cp312"]}),
            ("scikit_build_core.build", "", "cp313-cp313", {}),
            ("scikit_build_core.build", "[tool.scikit-build]\nwheel.py-api = 'cp312'\n", "cp312-abi3", {}),
            ("mesonpy", "", "cp312-abi3", {}),
        ],
    )
    def test_the_stable_abi(
        self, tmp_path: Path, backend: str, more: str, tag: str, found: dict[str, list[str]]
    ) -> None:
        wheel = f"demo-1.0-{tag}-macosx_11_0_arm64.whl"
        assert self.settings(tmp_path, system(backend, more=more), wheel) == found
