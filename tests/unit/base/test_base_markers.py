from __future__ import annotations

import pytest
from packaging.markers import Marker, default_environment

from forge.base.errors import RecipeError
from forge.base.markers import target_environment
from forge.base.target import Abi, Arch, IOSVersion, Target

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64, IOSVersion(13, 2))


def test_every_variable_is_the_targets() -> None:
    assert target_environment(DEVICE, "3.13.2") == {
        "implementation_name": "cpython",
        "implementation_version": "3.13.2",
        "os_name": "posix",
        "platform_machine": "arm64",
        "platform_python_implementation": "CPython",
        "platform_release": "13.2",
        "platform_system": "iOS",
        "platform_version": "Darwin Kernel Version 19.2.0",
        "python_full_version": "3.13.2",
        "python_version": "3.13",
        "sys_platform": "ios",
    }


def test_they_are_those_that_packaging_knows() -> None:
    assert target_environment(DEVICE, "3.13").keys() == default_environment().keys()


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ('sys_platform == "ios"', True),
        ('sys_platform == "linux"', False),
        ('platform_machine == "x86_64"', True),
        ('python_version >= "3.13" and python_full_version < "3.14"', True),
    ],
)
def test_markers_are_evaluated_for_the_simulator(marker: str, holds: bool) -> None:
    environment = target_environment(Target(Abi.IPHONESIMULATOR, Arch.X86_64), "3.13")
    assert Marker(marker).evaluate(environment) is holds


def test_darwins_version_since_ios_26() -> None:
    assert target_environment(Target(Abi.IPHONEOS, Arch.ARM64, IOSVersion(26)), "3.14")["platform_version"] == (
        "Darwin Kernel Version 25.0.0"
    )


def test_a_version_that_is_none() -> None:
    with pytest.raises(RecipeError, match="'cp313' is not a valid Python version"):
        target_environment(DEVICE, "cp313")
