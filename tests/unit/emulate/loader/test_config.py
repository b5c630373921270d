from __future__ import annotations

import ast
import importlib.machinery
import sys
from pathlib import Path

import pytest

import forge.emulate.runtime
from forge.emulate.runtime import LoaderConfig
from forge.emulate.runtime.finders import FrameworkLoader, apple_suffixes


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
    tag = f"cpython-{sys.version_info.major}{sys.version_info.minor}"
    assert apple_suffixes() == [
        f".{tag}-iphonesimulator.so",
        f".{tag}-iphoneos.so",
        f".{tag}-darwin.so",
        ".abi3.so",
        ".so",
    ]


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
