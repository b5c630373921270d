"""Lines and branches that the compiled tracer sees, in threads too."""

import sys
import threading

import coverage
import pytest
from coverage.tracer import CTracer

_CODE = """\
def sign(x):
    if x < 0:
        return -1
    if x > 0:
        return 1
    return 0

def never():
    return sign(1)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "signs.py").write_text(_CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "signs.py"
    sys.modules.pop("signs", None)


def _measured(module, run, **options):
    measuring = coverage.Coverage(data_file=None, include=[str(module)], config_file=False, **options)
    measuring.set_option("run:core", "ctrace")
    with measuring.collect():
        import signs

        run(signs)
    assert "CTracer" in str(measuring.sys_info())
    return measuring


def test_lines(module):
    measuring = _measured(module, lambda signs: signs.sign(-4))
    _, statements, _, missing, _ = measuring.analysis2(str(module))
    assert statements == [1, 2, 3, 4, 5, 6, 8, 9]
    assert missing == [4, 5, 6, 9]


def test_branches(module):
    measuring = _measured(module, lambda signs: (signs.sign(-4), signs.sign(4)), branch=True)
    assert set(measuring.get_data().arcs(str(module))) >= {(1, 8), (-1, 2), (2, 3), (3, -1), (2, 4), (4, 5)}
    assert (4, 6) not in measuring.get_data().arcs(str(module))


def test_threads(module):
    def run(signs):
        thread = threading.Thread(target=signs.never)
        thread.start()
        thread.join()

    _, _, _, missing, _ = _measured(module, run).analysis2(str(module))
    assert missing == [3, 6]


def test_contexts(module):
    measuring = coverage.Coverage(data_file=None, include=[str(module)], config_file=False)
    measuring.set_option("run:core", "ctrace")
    with measuring.collect():
        import signs

        for value in (-1, 1):
            measuring.switch_context(f"value {value}")
            signs.sign(value)
    by_line = measuring.get_data().contexts_by_lineno(str(module))
    assert (by_line[3], by_line[5]) == (["value -1"], ["value 1"])


def test_the_tracer_itself():
    assert CTracer().get_stats() is None  # it counts only where it is built to
