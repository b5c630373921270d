from __future__ import annotations

from pathlib import Path

import pytest

from forge.emulate.runtime.search import RunPaths

START = RunPaths(Path("/app"), Path("/app"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("@executable_path/a.dylib", ["/app/a.dylib"]),
        ("@loader_path/../a.dylib", ["/app/pkg/../a.dylib"]),
        ("@rpath/sub/a.dylib", ["/app/pkg/.dylibs/sub/a.dylib", "/opt/sub/a.dylib", "/app/Frameworks/sub/a.dylib"]),
        ("/abs/a.dylib", ["/abs/a.dylib"]),
        ("a.dylib", ["a.dylib"]),
        ("@loader_pathology/a.dylib", ["@loader_pathology/a.dylib"]),
    ],
)
def test_what_install_names_mean(name: str, expected: list[str]) -> None:
    paths = START.inside("/app/x", ("@executable_path/Frameworks",))
    paths = paths.inside("/app/pkg/ext.so", ("@loader_path/.dylibs", "/opt", "@rpath/nested", "relative"))
    assert [str(path) for path in paths.candidates(name)] == expected


def test_no_run_paths_no_candidates() -> None:
    assert START.candidates("@rpath/a.dylib") == ()
    assert START.find("@rpath/a.dylib") == (None, ())


def test_the_first_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "real.dylib").touch()
    (tmp_path / "two" / "a.dylib").symlink_to("real.dylib")
    paths = START.inside("/app/x", (str(tmp_path / "one"), str(tmp_path / "two")))
    found, tried = paths.find("@rpath/a.dylib")
    assert found == str((tmp_path / "two" / "real.dylib").resolve())
    assert tried == (str(tmp_path / "one" / "a.dylib"), str(tmp_path / "two" / "a.dylib"))
