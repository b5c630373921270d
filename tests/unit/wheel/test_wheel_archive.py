from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.errors import WheelError
from forge.wheel.archive import Limits, open_archive
from forge.wheel.contents import read_wheel
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_a_zip_behind_another_is_refused(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data + data)
    with pytest.raises(WheelError, match="starts after other data"):
        read_wheel(path)


def test_bytes_behind_the_end_are_refused(tmp_path: Path) -> None:
    path = make_wheel(tmp_path)
    path.write_bytes(path.read_bytes() + b"garbage")
    with pytest.raises(WheelError, match="bytes follow the end of the zip archive"):
        read_wheel(path)


def test_many_members_that_are_small_each_are_a_bomb_together(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, {f"example/{number}": bytes(1 << 16) for number in range(8)})
    limits = Limits(total_ratio_from=1 << 18)
    with pytest.raises(WheelError, match=r"unpacks from \d+ to \d+ bytes: a zip bomb"), open_archive(path, limits):
        pass
    with open_archive(path, Limits(total_ratio_from=1 << 20)) as (_, members):
        assert len(members) == 11
