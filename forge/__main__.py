"""Run the command line as ``python -m forge``."""

from forge.cli.main import main

if __name__ == "__main__":
    main()
