from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.target import Abi, Arch, Target
from forge.wheel.contents import read_wheel
from forge.wheel.requirements import unmet_requirements
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)


@pytest.mark.parametrize(
    ("requires", "said"),
    [
        (["numpy>=2"], ["requires numpy>=2, which no given wheel is"]),
        (["ios-multiprocessing; sys_platform == 'ios'"], ["requires ios-multiprocessing, which no given wheel is"]),
        (["pywin32; sys_platform == 'win32'"], []),
        (["other==2.33.2"], ["requires other==2.33.2, and the wheel given is 1.0"]),
        (["Other>=1"], []),
        (["numpy; extra == 'test'"], []),
        (["not a requirement >>="], []),
        (["numpy; os_name ~= 'posix'", "numpy; 'x' in extras"], []),
        (["other[fast]"], ["requires speedups, which no given wheel is"]),
    ],
)
def test_requirements_are_asked_of_the_target(tmp_path: Path, requires: list[str], said: list[str]) -> None:
    lines = "".join(f"Requires-Dist: {one}\n" for one in requires)
    head = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n"
    given = [
        make_wheel(tmp_path, {}, metadata=head.format("example") + lines),
        make_wheel(
            tmp_path,
            {},
            name="other",
            tag="py3-none-any",
            metadata=head.format("other") + "Requires-Dist: speedups; extra == 'fast'\n",
        ),
    ]
    unmet = unmet_requirements([read_wheel(path) for path in given], DEVICE, "3.13")
    assert [one.text for one in unmet] == said
