from __future__ import annotations

import subprocess
import sys


def test_lief_is_not_imported_before_a_file_is_read() -> None:
    code = "import sys, forge.macho.reader; sys.exit('lief' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
