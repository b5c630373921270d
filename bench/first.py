"""The first wheel on a fresh machine: its wall time and what it downloads.

``python -m bench first`` builds markupsafe for one target from an empty cache, and once more with everything but the
wheel in place. The difference is what a newcomer waits for before the first build: downloads, the SDK, the headers of
the iOS Python, forge's tools. No CPython is compiled if one of that minor version is on PATH. The physical limits are
the network (downloads are counted, so that they can be held against a line's speed) and unpacking.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AIM_SECONDS, AIM_BYTES = 120, 150_000_000


def build(home: Path, package: str, target: tuple[str, str], out: Path) -> float:
    start = time.perf_counter()
    abi, arch = target
    command = [sys.executable, "-m", "forge", "build", package, "--abi", abi, "--arch", arch, "--out", str(out)]
    subprocess.run(command, env={**os.environ, "FORGE_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def size(*directories: Path) -> int:
    files = (path for directory in directories for path in directory.rglob("*"))
    return sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", default="markupsafe")
    parser.add_argument("--target", default="iphoneos/arm64", help="ABI/ARCH")
    arguments = parser.parse_args()
    abi, _, arch = arguments.target.partition("/")
    with tempfile.TemporaryDirectory(prefix="bench-first-") as temporary:
        home, out = Path(temporary, "home"), Path(temporary, "dist")
        first = build(home, arguments.package, (abi, arch), out)
        downloaded = size(home / "sources", home / "pip" / "cache")
        shutil.rmtree(home / "wheels")
        again = build(home, arguments.package, (abi, arch), out)
        compiled = sorted(path.name for path in (home / "build-pythons").glob("3.*"))
    print(f"first wheel:           {first:6.1f} s  (aim: under {AIM_SECONDS} s)")
    print(f"the same, tools there: {again:6.1f} s")
    print(f"downloaded:            {downloaded / 1e6:6.1f} MB (aim: under {AIM_BYTES / 1e6:.0f} MB)")
    print(f"Pythons made:          {', '.join(compiled) or 'none'}")


if __name__ == "__main__":
    main()
