"""Run macOS wheels for x86_64, as their projects publish them, on Linux, and print a table of what works.

    python tools/macos_wheels/run.py [PROJECT...]

pip takes them from the package index. Such wheels are no iOS wheels, but they are large, and built by Apple's own
toolchain: what they need of the loader and of Darwin's interface, iOS wheels of the same projects will need.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.emulate.libcxx import ensure_libcxx
from forge.emulate.openblas import ensure_openblas
from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.session import Emulator, run_session
from forge.plan.provision import ensure_context
from forge.trial.emulator import ensure_linux, process_environment

PROJECTS = {
    "numpy": "numpy", "pandas": "pandas", "scikit-learn": "scikit_learn", "cryptography": "cryptography",
    "pydantic": "pydantic", "lxml": "lxml",
}  # fmt: skip
"""Projects, and the name of their test in ``test_work.py``."""
TARGET = Target(Abi.IPHONESIMULATOR, Arch.X86_64)


class Printer(SilentProgress):
    """Progress as plain lines."""

    def phase(self, subject: str, phase: str) -> None:
        """Print it."""
        print(f"{subject}: {phase}", flush=True)

    def note(self, subject: str, text: str) -> None:
        """Print it."""
        self.phase(subject, text)


def install(project: str, minor: str, macos: int, packages: Path) -> list[str]:
    """Install a project's macOS wheel and what it requires; the wheels' names."""
    platforms = [f"macosx_{major}_0_x86_64" for major in range(macos, 10, -1)]
    platforms += [f"macosx_10_{number}_x86_64" for number in range(15, 8, -1)]
    flags = [part for platform in platforms for part in ("--platform", platform)]
    with tempfile.TemporaryDirectory() as wheels:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        common = ["--only-binary=:all:", "--implementation", "cp", "--python-version", minor, *flags]
        subprocess.run([*pip, "download", *common, "--dest", wheels, project, "pytest>=8.3,<10"], check=True)
        made = sorted(Path(wheels).glob("*.whl"))
        subprocess.run([*pip, "install", *common, "--no-deps", "--no-index", "--target", packages, *made], check=True)
        return [wheel.name for wheel in made]


def main() -> None:
    """Run each project's test and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="*", help=f"of: {', '.join(PROJECTS)}; all by default")
    parser.add_argument("--python", default="3.13")
    parser.add_argument(
        "--macos", type=int, default=14, help="the newest macOS whose wheels are taken; 14: Accelerate's"
    )
    options = parser.parse_args()
    progress = Printer()
    context = ensure_context(ForgeHome.from_environment(), options.python, [TARGET], progress)
    linux = ensure_linux(context, TARGET.arch, progress)
    openblas = ensure_openblas(context, TARGET.arch, progress)
    loader = LoaderConfig(
        linux.shim, ensure_libcxx(context.home, context.toolchain, TARGET, progress),
        openblas32=openblas.openblas32, openblas64=openblas.openblas64,
    )  # fmt: skip
    print("| project | wheel | Mach-O modules | work |\n| --- | --- | --- | --- |")
    for project in options.projects or PROJECTS:
        with tempfile.TemporaryDirectory(prefix="macos-") as temporary:
            work = Path(temporary)
            wheels = install(project, options.python, options.macos, work / "packages")
            run = work / "run"
            run.mkdir()
            (run / "pytest.ini").write_text("[pytest]\n")
            shutil.copy(Path(__file__).with_name("test_work.py"), run)
            emulator = Emulator((*linux.command, "-s"), process_environment(work), loader, None)
            arguments = ["-p", "no:cacheprovider", f"test_work.py::test_{PROJECTS[project]}"]
            outcome = run_session(emulator, paths=[work / "packages"], arguments=arguments, cwd=run, work=work)
            modules = {name for report in outcome.reports for name in report["modules"]}
            stem = project.replace("-", "_")
            wheel = next((name for name in wheels if name.lower().startswith(f"{stem}-")), project)
            said = "; ".join(incident.text for incident in outcome.incidents) or "; ".join(
                f"{case.outcome}: {case.message.strip().splitlines()[-1]}" for case in outcome.cases if case.is_bad
            )
            print(f"| {project} | {wheel} | {len(modules)} | {said or 'passes'} |", flush=True)


if __name__ == "__main__":
    main()
