"""How much time the tests have: FORGE_TEST_MINUTES. What takes longer than is left is skipped, and says so.

The minutes count from FORGE_TEST_START, in seconds since the epoch, or from the start of these tests. On two slow
cores an empty cache costs two hours of compilers: LLVM's Fortran runtime, OpenBLAS, numpy, OpenSSL, CPython. Continuous
integration gives the tests less. What is in the cache costs nothing, so a second run goes further; without the variable
all tests run.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

import pytest

from forge.base.cpus import cpu_count
from forge.base.hashing import fingerprint
from forge.ios_python.built import built_pythons
from forge.plan.cache import is_cached
from forge.plan.closure import closure
from forge.plan.fingerprint import step_inputs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.paths import ForgeHome
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.recipe.store import RecipeStore

MINUTES = float(os.environ.get("FORGE_TEST_MINUTES") or "inf")
_BEGAN = float(os.environ.get("FORGE_TEST_START") or time.time())

_REFERENCE_SECONDS, _REFERENCE_CPUS = 0.35, 2
"""The machine that the minutes below are of: what it takes for `_loop`, and its CPUs."""

RUNTIME, CPYTHON = 20, 35
"""Minutes: LLVM's Fortran runtime; CPython with its libraries."""

BUILDS = {
    "cryptography": 8, "lapack": 6, "llvm-openmp": 6, "numpy": 16, "openblas": 14, "openssl": 14, "pillow": 4,
    "rpds-py": 4, "scikit-learn": 30, "scipy": 60,
}  # fmt: skip
"""Minutes that a recipe's build takes, where they are many."""


@cache
def slowness() -> float:
    """How long builds take on this machine, as a multiple of the minutes here."""
    return min(_loop() for _ in range(3)) / _REFERENCE_SECONDS * _REFERENCE_CPUS / cpu_count()


def _loop() -> float:
    start, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number * number % 7
    return time.process_time() - start


def minutes_left() -> float:
    """How much of the time is left."""
    return MINUTES - (time.time() - _BEGAN) / 60


def need_minutes(minutes: float, what: str) -> None:
    """Skip a test that takes longer than is left.

    Args:
        minutes: How long it takes on the machine that the numbers here are of.
        what: What takes so long.
    """
    if minutes * slowness() > minutes_left():
        expected = minutes * slowness()
        pytest.skip(f"{what} takes about {expected:.0f} minutes: more than is left of FORGE_TEST_MINUTES")


def need_wheels(names: Iterable[str], target: Target, context: BuildContext, store: RecipeStore) -> None:
    """Skip a test whose wheels take longer than is left to build; what is in the cache takes no time."""
    if float("inf") == MINUTES:
        return
    steps = closure([store.load(name) for name in names], target, context.python.minor, store)
    inputs = step_inputs(steps, context)
    missing = [name for name, each in inputs.items() if not is_cached(context.home, fingerprint(each))]
    runtime = RUNTIME if "lapack" in missing and not any(context.home.toolchains.glob(f"fortran-*{target}*")) else 0
    need_minutes(runtime + sum(BUILDS.get(name, 1) for name in missing), f"building {', '.join(missing)}")


def need_python(home: ForgeHome, targets: Iterable[Target]) -> None:
    """Skip a test of a Python that forge compiles, if that takes longer than is left."""
    wanted = {target.multiarch for target in targets}
    if not any(wanted <= {target.multiarch for target in kept.product.targets} for kept in built_pythons(home)):
        need_minutes(CPYTHON * len(wanted), "compiling CPython")
