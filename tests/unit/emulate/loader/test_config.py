from __future__ import annotations

import ast
import importlib.machinery
import sys
from pathlib import Path

import pytest

import forge.emulate.runtime
from forge.base.target import Abi
from forge.emulate.runtime import LoaderConfig
from forge.emulate.runtime.finders import FrameworkLoader, apple_suffixes
from forge.wheel.extension import extension_suffixes


@pytest.mark.parametrize(
    "config",
    [
        LoaderConfig(Path("/s.so")),
        LoaderConfig(Path("/s.so"), Path("/l.dylib"), Path("/r.jsonl"), Path("/app/x"), fault_handler=False),
        LoaderConfig(Path("/s.so"), openblas32=Path("/32.so"), openblas64=Path("/64.so")),
    ],
)
def test_a_configuration_goes_through_json(config: LoaderConfig) -> None:
    assert LoaderConfig.from_json(config.to_json()) == config


def test_unknown_keys_are_an_error() -> None:
    with pytest.raises(TypeError, match="shimm"):
        LoaderConfig.from_json('{"shimm": "/s.so"}')


def test_suffixes_are_those_of_the_running_python() -> None:
    assert apple_suffixes() == apple_suffixes(sys.version_info[:2])
    assert apple_suffixes((3, 14)) == [
        ".cpython-314-iphonesimulator.so", ".cpython-314-iphoneos.so", ".cpython-314-darwin.so", ".abi3.so", ".so",
    ]  # fmt: skip


@pytest.mark.parametrize("minor", [13, 14, 15])
@pytest.mark.parametrize("abi", list(Abi))
def test_suffixes_are_those_that_wheels_are_checked_against(minor: int, abi: Abi) -> None:
    """In the order in which Python looks, but for other platforms'."""
    expected = extension_suffixes(f"cp3{minor}", abi)
    assert [suffix for suffix in apple_suffixes((3, minor)) if suffix in expected] == list(expected)


def test_an_fwork_file_leads_to_its_framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the binary's .origin file leads back. The binary is not there, so that making the module fails."""
    monkeypatch.setattr(FrameworkLoader, "bundle", tmp_path)
    fwork = tmp_path / "mod.fwork"
    fwork.write_text("Frameworks/mod.framework/mod\n")

    loader = FrameworkLoader("mod", str(fwork))
    spec = importlib.machinery.ModuleSpec("mod", loader, origin=str(fwork))
    with pytest.raises(ImportError):
        loader.create_module(spec)
    assert spec.origin == f"{tmp_path}/Frameworks/mod.framework/mod"


def test_the_runtime_needs_the_standard_library_only() -> None:
    """It runs where forge's libraries are not installed; what a wheel's own tests need is imported when they run."""
    root = Path(forge.emulate.runtime.__file__).parent
    for file in root.glob("*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                known = name.partition(".")[0] in sys.stdlib_module_names or name.startswith("forge.emulate.runtime")
                assert known, f"{file.name} imports {name}"
