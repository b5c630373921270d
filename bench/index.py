"""An index of many wheels, made by forge and by dumb-pypi from the same files in one run.

``python -m bench index`` makes up 10,000 wheels of 500 projects, then has both make the whole index, and bring it up to
date with one wheel more. dumb-pypi takes a list of the files with their hashes, which somebody has to make and which
forge makes itself; it neither copies wheels nor writes metadata files or JSON for installers. So the whole index is
measured twice: from the wheels, beside dumb-pypi with the plainest program that makes its list and puts in place the
wheels and metadata files that its pages name; and the pages alone (``--afresh``), from what each of them has noted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from email.parser import BytesParser
from pathlib import Path

from tests.unit.wheel.wheels import make_wheel

TARGETS = ("arm64_iphoneos", "arm64_iphonesimulator", "x86_64_iphonesimulator")
MEMORY = 300 * 1024**2
"""The aim for forge's peak, in bytes."""


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds of processor time, which others on the machine change least, and memory in bytes."""

    seconds: float
    memory: int

    def __str__(self) -> str:
        return f"{self.seconds:6.2f} s {self.memory / 1024**2:6.0f} MB"


def measured(command: list[str], env: dict[str, str] | None = None) -> Cost:
    """Run a command to its end."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=env, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(said.read().decode(errors="replace")[-2000:])
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def write_wheels(directory: Path, count: int, projects: int) -> None:
    """Small wheels: each project has several versions for all targets, and requires two others."""
    made = 0
    while made < count:
        version = 1 + made // (projects * len(TARGETS))
        for project in range(projects):
            for target in TARGETS:
                if made < count:
                    write_wheel(directory, project, f"{version}.0", target, projects)
                    made += 1


def write_wheel(directory: Path, project: int, version: str, target: str, projects: int) -> Path:
    """One of them."""
    name = f"demo_{project:04}"
    required = "".join(f"Requires-Dist: demo-{(project * 7 + n) % projects:04}>=1\n" for n in (1, 2) if project % 3)
    metadata = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.9\nSummary: A made-up project\n"
        f"License-Expression: MIT\n{required}"
    )
    files = {f"{name}/__init__.py": b"", f"{name}/x.so": f"{project} {version} {target}".encode() * 50}
    tag = f"cp313-cp313-ios_12_0_{target}"
    return make_wheel(directory, files, name=name, version=version, tag=tag, metadata=metadata)


def write_list(directory: Path, out: Path, site: Path | None = None) -> None:
    """The list that dumb-pypi takes: names, hashes, times and required Pythons; and the files that its pages name."""
    if site is not None:
        site.mkdir(parents=True)
    with out.open("w") as file:
        for wheel in sorted(directory.iterdir()):
            with zipfile.ZipFile(wheel) as archive:
                (member,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
                content = archive.read(member)
            said = BytesParser().parsebytes(content, headersonly=True)
            if site is not None:
                shutil.copyfile(wheel, site / wheel.name)
                (site / f"{wheel.name}.metadata").write_bytes(content)
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            entry = {
                "filename": wheel.name, "hash": f"sha256={digest}", "requires_python": said["Requires-Python"],
                "requires_dist": said.get_all("Requires-Dist") or [], "upload_timestamp": int(wheel.stat().st_mtime),
                "core_metadata": True,
            }  # fmt: skip
            file.write(json.dumps(entry) + "\n")


def show(what: str, forge: Cost, other: Cost, beside: float = 0.0) -> None:
    whole = other.seconds + beside
    print(f"{what}:")
    print(f"  forge       {forge}")
    print(f"  dumb-pypi   {Cost(whole, other.memory)}   {whole / forge.seconds:.2f} times forge's time")
    if beside:
        print(f"              ({other.seconds:.2f} s without its list and files)")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench index", description=__doc__)
    parser.add_argument("--wheels", type=int, default=10_000)
    parser.add_argument("--projects", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-index-") as temporary:
        root = Path(temporary)
        wheels, lists = root / "wheels", [root / "before.json", root / "after.json"]
        write_wheels(wheels, options.wheels, options.projects)
        env = {**os.environ, "FORGE_HOME": str(root / "home")}
        forge = [sys.executable, "-m", "forge", "index", "make", str(root / "site")]
        dumb = [
            sys.executable,
            "-m",
            "dumb_pypi.main",
            "--output-dir",
            str(root / "dumb"),
            "--packages-url",
            "../../wheels/",
        ]
        began = time.process_time()
        write_list(wheels, lists[0], root / "files")
        listing = time.process_time() - began
        first = measured([*forge, str(wheels)], env)
        other = measured([*dumb, "--package-list-json", str(lists[0])])
        print(f"{options.wheels} wheels of {options.projects} projects")
        show("the whole index, from the wheels", first, other, listing)
        pages = measured([*forge, "--afresh"], env)
        show("its pages, from what is noted of the wheels", pages, other)
        more = write_wheel(wheels, 1, "99.0", TARGETS[0], options.projects)
        write_list(wheels, lists[1])
        update = measured([*forge, str(more)], env)
        previous = ["--previous-package-list-json", str(lists[0])]
        other = measured([*dumb, "--package-list-json", str(lists[1]), *previous])
        show("one wheel more", update, other)
        again = measured([*forge, str(wheels)], env)
        print(f"the same directory again, nothing new:\n  forge       {again}")
        most = max(first.memory, update.memory, again.memory)
        print(f"forge's peak: {most / 1024**2:.0f} MB (aim: {MEMORY / 1024**2:.0f} MB)")


if __name__ == "__main__":
    main()
