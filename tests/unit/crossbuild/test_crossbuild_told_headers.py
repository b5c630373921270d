"""Programs of the build side that ask `sysconfig` for Python's headers are told the iOS Python's."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from forge.crossbuild.build_side import tell_headers

if TYPE_CHECKING:
    from pathlib import Path

ASK = """\
import json, sysconfig
told = sysconfig.get_config_vars()["INCLUDEPY"], sysconfig.get_config_var("INCLUDEPY")
print(json.dumps({
    "paths": [
        sysconfig.get_path("include"), sysconfig.get_paths()["platinclude"], sysconfig.get_path("include", "venv"),
    ],
    "variables": [*told, *sysconfig.get_config_vars("CONFINCLUDEPY")],
    "others": [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_config_var("EXT_SUFFIX")],
    "missing": sysconfig.get_config_var("NO_SUCH_VARIABLE"),
}))
"""


def ask(python: Path) -> dict[str, Any]:
    said = subprocess.run([python, "-c", ASK], check=True, capture_output=True, text=True)
    assert said.stderr == ""
    answers: dict[str, Any] = json.loads(said.stdout)
    return answers


def test_sysconfig(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "build"], check=True)
    own = tmp_path / "build" / "bin" / "python"
    before = ask(own)
    (site_packages,) = (tmp_path / "build" / "lib").glob("python3*/site-packages")
    include = tmp_path / "it's {another}" / "include"
    tell_headers(site_packages, include)
    after = ask(own)
    assert str(include) not in str(before)
    assert (after["paths"], after["variables"]) == ([str(include)] * 3, [str(include)] * 3)
    assert (after["others"], after["missing"]) == (before["others"], None)
