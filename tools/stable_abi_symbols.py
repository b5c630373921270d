"""Write ``forge/audit/data/stable_abi.json`` from CPython's source: which symbols the stable ABI has, and since when.

Run once for each new version of CPython that wheels are built for:

    python tools/stable_abi_symbols.py CPYTHON_SOURCE_TREE

``Misc/stable_abi.toml`` lists what CPython promises to keep (PEP 384, PEP 652): of its entries only functions and data
are symbols. An entry that is for some configurations only (``ifdef``) is taken where iOS's CPython has it.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

OUTPUT = Path(__file__).parent.parent / "forge" / "audit" / "data" / "stable_abi.json"

ON_IOS = {
    "HAVE_FORK": True,  # configure finds fork in iOS's headers; that calling it fails is another matter
    "MS_WINDOWS": False,
    "PY_HAVE_THREAD_NATIVE_ID": True,
    "Py_REF_DEBUG": False,
    "USE_STACKCHECK": False,
}
"""CPython's macros that entries depend on, and whether an iOS build (not a debug one) defines them."""


def read_symbols(toml: Path) -> dict[str, str]:
    """C names to the Python version, e.g. ``3.9``, that added each.

    Raises:
        KeyError: An entry depends on a macro that `ON_IOS` does not tell of.
    """
    content = tomllib.loads(toml.read_text(encoding="utf-8"))
    return {
        name: entry["added"]
        for kind in ("function", "data")
        for name, entry in content[kind].items()
        if "ifdef" not in entry or ON_IOS[entry["ifdef"]]
    }


def read_version(tree: Path) -> str:
    """The source's version, e.g. ``3.13``."""
    header = (tree / "Include" / "patchlevel.h").read_text(encoding="utf-8")
    numbers = [re.search(rf"define PY_{part}_VERSION\s+(\d+)", header) for part in ("MAJOR", "MINOR")]
    return ".".join(number[1] for number in numbers if number)


def main() -> None:
    """Read the source tree named on the command line and write the file."""
    tree = Path(sys.argv[1])
    symbols = read_symbols(tree / "Misc" / "stable_abi.toml")
    data = {"newest": read_version(tree), "symbols": dict(sorted(symbols.items()))}
    OUTPUT.write_text(json.dumps(data, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(symbols)} symbols up to Python {data['newest']}")


if __name__ == "__main__":
    main()
