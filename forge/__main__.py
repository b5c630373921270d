"""``python -m forge``, and the program ``forge``."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; an interruption while it is imported is no traceback either."""
    try:
        from forge.cli.main import main as run  # noqa: PLC0415 - takes most of a second
    except KeyboardInterrupt:
        sys.stderr.write("error[interrupted]: interrupted\n")
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
