"""Time stands where it is put: the clocks' C functions are replaced."""

import datetime as dt
import time

import time_machine

MOMENT = dt.datetime(1985, 10, 26, 1, 24, tzinfo=dt.UTC)


def test_clocks():
    before = time.time()
    with time_machine.travel(MOMENT, tick=False) as traveller:
        assert time.time() == MOMENT.timestamp()
        assert dt.datetime.now(tz=dt.UTC) == MOMENT
        assert time.gmtime()[:5] == (1985, 10, 26, 1, 24)
        traveller.shift(60)
        assert time.time_ns() == (int(MOMENT.timestamp()) + 60) * 10**9
    assert time.time() >= before
