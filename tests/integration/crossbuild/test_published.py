"""What forge builds on Linux, beside what the maintainers publish, built with Xcode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.audit.compare import Difference, DifferenceKind, compare_wheels
from tests.integration.publications import published_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

# Published wheels are built for iOS 13.0, the default of cibuildwheel; ours for 12.0. setuptools writes the build
# directory into the install name, and forge puts the framework's name there.
EXPECTED = (DifferenceKind.PLATFORM, DifferenceKind.INSTALL_NAME)


def is_only_our_sbom(difference: Difference) -> bool:
    """forge's wheels carry a bill of materials, which the published ones do not."""
    return (
        difference.kind is DifferenceKind.FILES
        and difference.only_a == ("*.dist-info/sboms/forge.cdx.json",)
        and not difference.only_b
    )


@pytest.mark.parametrize(("name", "version"), [("markupsafe", "3.0.4"), ("lru-dict", "1.4.1"), ("multidict", "7.2.1")])
def test_equals_the_published_wheel(name: str, version: str, target: Target, forge: Forge, tmp_path: Path) -> None:
    published = published_wheel(name, version, (f"ios_13_0_{target.arch}_{target.abi}",), tmp_path)
    ours = forge.build(name, target).wheel
    if published is None:
        # A project that publishes none for this target is no reason to compare nothing at all: the device has one.
        assert target.is_simulator, f"{name} {version} has no wheel for {target}"
        pytest.skip(f"{name} {version} publishes none for {target}")
    comparison = compare_wheels(ours, published)
    others = [d for d in comparison.without(*EXPECTED).differences if not is_only_our_sbom(d)]
    assert not others, str(comparison)
