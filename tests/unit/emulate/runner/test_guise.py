"""In a process each: an answer cannot be taken back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]
ASK = """
import json, sys
sys.path.insert(0, {root!r})
from forge.emulate.runtime.guise import Guise, put_on
put_on(Guise(ios_version="17.0", minimum="12.0", multiarch={multiarch!r}))
import os, platform, sysconfig
print(json.dumps({{
    "platform": sys.platform, "system": platform.system(), "machine": platform.machine(),
    "release": os.uname().release, "get_platform": sysconfig.get_platform(),
    "multiarch": sys.implementation._multiarch, "suffix": sysconfig.get_config_var("EXT_SUFFIX"),
    "soabi": sysconfig.get_config_var("SOABI"), "minimum": sysconfig.get_config_var("IPHONEOS_DEPLOYMENT_TARGET"),
    "ios_ver": list(platform.ios_ver()) if sys.version_info >= (3, 13) else None,
    "processes": __import__("subprocess").run(["true"]).returncode if sys.version_info < (3, 13) else 0,
}}))
"""
TAG = f"cpython-{sys.version_info.major}{sys.version_info.minor}"


def ask(multiarch: str) -> dict[str, Any]:
    script = ASK.format(root=str(ROOT), multiarch=multiarch)
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


@pytest.mark.parametrize(
    ("multiarch", "machine", "abi"),
    [
        ("x86_64-iphonesimulator", "x86_64", "iphonesimulator"),
        ("arm64-iphonesimulator", "arm64", "iphonesimulator"),
        ("arm64-iphoneos", "arm64", "iphoneos"),
    ],
)
def test_what_python_code_asks(multiarch: str, machine: str, abi: str) -> None:
    answers = ask(multiarch)
    assert answers["platform"] == "ios"
    assert answers["machine"] == machine
    assert answers["release"] == "23.0.0"  # iOS 17's kernel
    assert answers["multiarch"] == multiarch
    assert answers["suffix"] == f".{TAG}-{abi}.so"
    assert answers["soabi"] == f"{TAG}-{abi}"
    assert answers["minimum"] == "12.0"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="CPython knows iOS since 3.13")
def test_what_cpython_makes_of_it() -> None:
    answers = ask("arm64-iphonesimulator")
    assert answers["system"] == "iOS"
    assert answers["ios_ver"] == ["iOS", "17.0", "iPhone", True]
    assert ask("arm64-iphoneos")["ios_ver"][3] is False
    assert answers["get_platform"] == "ios-12.0-arm64-iphonesimulator"


ASK_FOR_MODULES = """
import json, subprocess, sys
sys.path[:0] = [{root!r}]
from forge.emulate.runtime.guise import Guise, put_on
put_on(Guise("17.0", "12.0", "arm64-iphoneos", absent=("_multiprocessing", "_posixsubprocess", "pwd", "_curses")))
sys.path.append({app!r})
found = {{}}
for name in ("_multiprocessing", "_posixsubprocess", "pwd", "_curses", "_json", "multiprocessing.synchronize"):
    try:
        found[name] = getattr(__import__(name), "__file__", None) or "inside Python"
    except ImportError as error:
        found[name] = f"{{type(error).__name__}}: {{error}} ({{error.name}})"
print(json.dumps(found))
"""


def test_modules_that_the_ios_python_lacks(tmp_path: Path) -> None:
    (tmp_path / "_curses.py").touch()
    script = ASK_FOR_MODULES.format(root=str(ROOT), app=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["_multiprocessing"] == "ModuleNotFoundError: No module named '_multiprocessing' (_multiprocessing)"
    assert found["_posixsubprocess"].startswith("ModuleNotFoundError: ")  # imported by then
    assert found["pwd"].startswith("ModuleNotFoundError: ")  # built into Python
    assert found["_curses"] == str(tmp_path / "_curses.py")  # the app's own, behind the standard library
    assert "Error" not in found["_json"]
    assert found["multiprocessing.synchronize"].startswith(("ImportError", "ModuleNotFoundError"))
