"""CMake's toolchain file for a target, and the variables through which every CMake of a build finds it.

CMake knows iOS (``CMAKE_SYSTEM_NAME=iOS``; cmake-toolchains(7), "Cross Compiling for iOS, tvOS, visionOS, or watchOS").
The file adds what it cannot find out on a machine that is no Mac, and what is particular to Python's extension modules:
a module is a dylib that is linked with Python's framework (PEP 730), not a bundle.

scikit-build-core, scikit-build, py-build-cmake and setup.py files that call CMake all read ``CMAKE_TOOLCHAIN_FILE`` and
``CMAKE_GENERATOR`` from the environment, as CMake itself does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.crossbuild.backends.base import Prepared
from forge.crossbuild.backends.pep517 import Pep517, pyproject
from forge.crossbuild.backends.py_build_cmake import PY_BUILD_CMAKE, write_cross_file
from forge.wheel.extension import expected_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.crossbuild.context import Build


class ScikitBuildCore(Pep517):
    """scikit-build-core, and whatever else runs CMake: PEP 517 with a toolchain file."""

    def prepare(self, build: Build) -> Prepared:
        """Write the toolchain file, and name it in the environment."""
        prepared = super().prepare(build)
        settings = dict(prepared.config_settings)
        variables = cmake_variables(build)
        module = hooks_module(build.tree)
        if module == "scikit_build_core":
            # Not in a temporary directory with another name in each build, which compiled files would have in them.
            settings.setdefault("build-dir", (str(build.work / "cmake-build"),))
        elif module == PY_BUILD_CMAKE:
            settings.setdefault("cross", (str(write_cross_file(build, variables["CMAKE_TOOLCHAIN_FILE"])),))
        return Prepared(settings, {**prepared.env, **variables})

    def interpreter(self, build: Build) -> Path:
        """The Python that hooks are called in; py-build-cmake's own cross builds run in the build machine's."""
        if hooks_module(build.tree) == PY_BUILD_CMAKE:
            return build.environment.build_python
        return super().interpreter(build)


def hooks_module(tree: Path) -> str:
    """The package of a source tree's PEP 517 back end, e.g. ``scikit_build_core``; empty if it names none."""
    system = pyproject(tree).get("build-system", {})
    return str(system.get("build-backend", "")).partition(".")[0]


def cmake_variables(build: Build) -> Mapping[str, str]:
    """Write the toolchain file of a build; the variables that CMake and its callers read.

    Args:
        build: The build; the file goes into its work directory.
    """
    rules = build.work / "forge-rules.cmake"
    rules.write_text(_RULES, encoding="utf-8")
    provider = build.work / "forge-provider.cmake"
    suffix = expected_suffix(f"cp{build.context.python.minor.replace('.', '')}", build.target.abi)
    provider.write_text(_PROVIDER.format(soabi=suffix.removeprefix(".").removesuffix(".so")), encoding="utf-8")
    file = build.work / "forge-toolchain.cmake"
    file.write_text(toolchain_file(build, rules, provider), encoding="utf-8")
    modules = build.work / "forge-modules"
    modules.mkdir(exist_ok=True)
    (modules / "ninja.py").write_text(f"BIN_DIR = {str(build.environment.build_bin)!r}\n", encoding="utf-8")
    return {
        "CMAKE_TOOLCHAIN_FILE": str(file),
        # The module of the project ninja looks for its program in the user's scheme, which sysconfig lacks on iOS.
        "PYTHONPATH": str(modules),
        "CMAKE_GENERATOR": "Ninja",
        # scikit-build-core, pybind11 and nanobind take it for a module's suffix in cross builds.
        "SETUPTOOLS_EXT_SUFFIX": suffix,
        # A registry of packages that other builds left in the user's directory (cmake-packages(7)).
        "CMAKE_EXPORT_NO_PACKAGE_REGISTRY": "ON",
    }


_RULES = """\
# Read after CMake's own rules for iOS (CMAKE_USER_MAKE_RULES_OVERRIDE), which link a MODULE as a bundle: iOS has none.
foreach(language C CXX OBJC OBJCXX)
  set(CMAKE_SHARED_MODULE_CREATE_${language}_FLAGS "-dynamiclib")
  set(CMAKE_SHARED_MODULE_LOADER_${language}_FLAG "")
endforeach()
"""


_PROVIDER = """\
# Read by the first project() (CMAKE_PROJECT_TOP_LEVEL_INCLUDES). In a cross build FindPython asks no interpreter and
# leaves Python_SOABI empty, so that modules would have the suffix .so alone. From CMake 4.1 on it refuses to look for
# an interpreter beside headers at all (CMP0190): here both are known. A macro has the policies of where it is defined.
if(POLICY CMP0190)
  cmake_policy(SET CMP0190 OLD)
endif()
macro(forge_find_package method package)
  find_package(${{package}} ${{ARGN}} BYPASS_PROVIDER)
  if("${{package}}" MATCHES "^Python3?$")
    set(${{package}}_SOABI "{soabi}")
  endif()
endmacro()
cmake_language(SET_DEPENDENCY_PROVIDER forge_find_package SUPPORTED_METHODS FIND_PACKAGE)
"""


def toolchain_file(build: Build, rules: Path, provider: Path) -> str:
    """The text of a toolchain file.

    Args:
        build: The build.
        rules: A file that is read after CMake's own rules for the platform.
        provider: A file that is read by the first ``project()``.
    """
    target, environment = build.target, build.environment
    triple, wrappers = target.host_triple, environment.wrappers
    framework, minor = environment.host_view, build.context.python.minor
    sdk = build.context.toolchain.sdk_path(target.abi)
    python = {
        "EXECUTABLE": environment.cross_python,
        "INCLUDE_DIR": framework / "include" / f"python{minor}",
        "LIBRARY": framework / "lib" / f"libpython{minor}.tbd",
    }
    lines = [
        "set(CMAKE_SYSTEM_NAME iOS)",
        f"set(CMAKE_SYSTEM_VERSION {target.effective_ios_version})",
        # Empty, many projects take a CPU without SIMD.
        f"set(CMAKE_SYSTEM_PROCESSOR {target.arch})",
        f"set(CMAKE_OSX_ARCHITECTURES {target.arch})",
        f"set(CMAKE_OSX_SYSROOT {target.abi})",
        f"set(CMAKE_OSX_DEPLOYMENT_TARGET {target.ios_version})",
        f'set(CMAKE_C_COMPILER "{wrappers / f"{triple}-clang"}")',
        f'set(CMAKE_CXX_COMPILER "{wrappers / f"{triple}-clang++"}")',
        f'set(CMAKE_OBJC_COMPILER "{wrappers / f"{triple}-clang"}")',
        f'set(CMAKE_OBJCXX_COMPILER "{wrappers / f"{triple}-clang++"}")',
        f'set(CMAKE_AR "{wrappers / f"{triple}-ar"}")',
        f'set(CMAKE_USER_MAKE_RULES_OVERRIDE "{rules}")',
        f'list(APPEND CMAKE_PROJECT_TOP_LEVEL_INCLUDES "{provider}")',
        # Of the target: host requirements and the SDK alone. Programs are the build machine's.
        f'set(CMAKE_FIND_ROOT_PATH "{build.host.opt}" "{build.host.site_packages}")',
        "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)",
        "set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY BOTH)",
        "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)",
        "set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)",
        "set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF)",
        "set(CMAKE_FIND_USE_PACKAGE_REGISTRY OFF)",
        # Before what the caller named in the cache, which set() would hide: scikit-build-core names there the packages
        # of the build environment that have files for CMake, such as nanobind.
        f'list(PREPEND CMAKE_PREFIX_PATH "{build.host.opt}" "{sdk}/usr")',
        "list(REMOVE_DUPLICATES CMAKE_PREFIX_PATH)",  # the file is read several times
        f'set(CMAKE_FRAMEWORK_PATH "{sdk}/System/Library/Frameworks")',
        # No test program can be run, and one for iOS would have to be signed: what compiles counts.
        "set(CMAKE_TRY_COMPILE_TARGET_TYPE EXECUTABLE)",
        "set(CMAKE_MACOSX_BUNDLE OFF)",
        # From C++20 on CMake looks for modules, with a program of clang's that the toolchain does not have.
        "set(CMAKE_CXX_SCAN_FOR_MODULES OFF)",
        # Nothing runs from the build tree, and xcrun links none of its search paths, which installing would take out.
        "set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)",
        f'set(CMAKE_MODULE_LINKER_FLAGS_INIT "-F{framework} -framework Python")',
        *(f'set({prefix}_{name} "{value}")' for prefix in ("Python", "Python3") for name, value in python.items()),
        "set(Python_FIND_FRAMEWORK NEVER)",
        "set(Python3_FIND_FRAMEWORK NEVER)",
    ]
    return "\n".join([*lines, ""])
