from __future__ import annotations

import subprocess
import sys


def test_lief_is_for_tests_alone() -> None:
    code = "import sys, forge.audit.check, forge.frameworks.make, forge.wheel.repair; sys.exit('lief' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
