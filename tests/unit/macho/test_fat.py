from __future__ import annotations

import pytest

from forge.macho.errors import MachOError
from forge.macho.fat import join_fat, split_fat
from forge.macho.reader import read_macho
from tests.unit.macho import builder
from tests.unit.macho.builder import ARM64, X86_64, fat, macho

ARM, X86 = macho(cpu=ARM64), macho(cpu=X86_64, version_min=True)


@pytest.mark.parametrize("order", [(ARM, X86), (X86, ARM)])
def test_join_and_split(order: tuple[bytes, bytes]) -> None:
    joined = join_fat(order)
    assert split_fat(joined) == (X86, ARM)
    file = read_macho(joined)
    assert file.is_fat
    assert [one.offset for one in file.slices] == [0x1000, 0x4000]
    assert not any(joined[48:0x1000])


def test_one_slice() -> None:
    assert split_fat(join_fat([ARM])) == (ARM,)
    assert read_macho(join_fat([ARM])).slices[0].offset == 0x4000


def test_thin_files_are_their_own_slice() -> None:
    assert split_fat(ARM) == (ARM,)


def test_arm64e_is_another_cpu() -> None:
    assert len(split_fat(join_fat([macho(cpu=builder.ARM64E), ARM, X86]))) == 3


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "at least one"),
        ([ARM, ARM], "one slice for each"),
        ([fat(ARM)], "cannot be a slice"),
        ([b""], "not a Mach-O"),
    ],
)
def test_what_cannot_be_joined(files: list[bytes], said: str) -> None:
    with pytest.raises(MachOError, match=said):
        join_fat(files)
