"""Which of a wheel's files are extension modules, and which are libraries that these load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.audit.modules import extension_modules
from forge.wheel.contents import read_wheel
from tests.unit.macho.builder import LOAD, PYTHON, macho
from tests.unit.wheel.wheels import DEVICE, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

LIBRARY = "@rpath/demo._dylibs.libx.framework/demo._dylibs.libx"


def test_what_a_module_loads_is_none_and_a_plain_name_does_not_decide(tmp_path: Path) -> None:
    files = {
        "demo/_x.cpython-313-iphoneos.so": macho(loads=((PYTHON, LOAD), (LIBRARY, LOAD))),
        "demo/_plain.so": macho(),
        "demo/_damaged.so": macho()[:40],
        "demo/_dylibs/libx.so": macho(install_name=LIBRARY),
    }
    found = extension_modules(read_wheel(make_wheel(tmp_path, files, name="demo", tag=DEVICE)))
    assert {one.module for one in found} == {"demo._x", "demo._plain", "demo._damaged"}
