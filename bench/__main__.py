"""``python -m bench NAME [OPTIONS]`` runs one benchmark, ``python -m bench`` says which there are."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        print(f"usage: python -m bench {{{','.join(NAMES)}}} [--help]", file=sys.stderr)
        return 2
    importlib.import_module(f"bench.{sys.argv.pop(1)}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
