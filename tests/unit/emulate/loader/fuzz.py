"""Damaged files for the loader's reader: what it reads it reads, what it does not is a MachOImportError.

``python -m tests.unit.emulate.loader.fuzz SECONDS`` goes on for longer than a unit test can.
"""

from __future__ import annotations

import random
import sys
import time

from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.frames import write_frames
from forge.emulate.runtime.reader import read_image
from forge.emulate.runtime.unwinding import read_frames
from tests.unit.emulate.loader import samples
from tests.unit.emulate.loader.unwind_samples import COMPRESSED, REGULAR, eh_frame, unwind_info
from tests.unit.macho import builder

_INFO = unwind_info([(0x100, REGULAR), (0x200, COMPRESSED)], 0x300, [(0x100, 0x900)])
_FRAMES = eh_frame(0xA00)
UNWOUND = samples.Sample(
    text_at=0x800,
    text=_INFO.ljust(0x200, b"\0") + _FRAMES,
    text_sections=(("__unwind_info", 0x800, len(_INFO), 0, 2), ("__eh_frame", 0xA00, len(_FRAMES), 0, 3)),
)
"""A file with both unwind tables."""

SOUND = (
    UNWOUND.bytes(),
    samples.CLASSIC.bytes(),
    samples.CHAINED.bytes(),
    samples.THREADED.bytes(),
    builder.macho(cpu=builder.X86_64),
    builder.macho(cpu=builder.X86_64, trie=b""),
)

_INTERESTING = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0xFFF, 0x1000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, (1 << 64) - 1)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """A file with one to eight damages, most of them in the load commands and the tables."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        start = chance.choice((0, 0, 0x800, samples.LINKEDIT_AT, samples.DATA_AT))
        at = min(start + chance.randrange(0x400), len(changed) - 1)
        how = chance.randrange(5)
        if how == 0:
            changed[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            changed[at] = chance.randrange(256)
        elif how == 2:
            size = chance.choice((2, 4, 8))
            value = chance.choice(_INTERESTING) & (1 << 8 * size) - 1
            changed[at : at + size] = value.to_bytes(size, "little")
        elif how == 3:
            del changed[at : at + chance.randrange(64)]
        else:
            changed[at:at] = chance.randbytes(chance.randrange(16))
        if not changed:
            return b""
    return bytes(changed)


def read(data: bytes, cpu_type: int = samples.X86_64[0]) -> bool:
    """Whether a file was read; any other error than the loader's goes through."""
    try:
        image = read_image(data, cpu_type)
        write_frames(read_frames(image, data), 0x7F0000000000, image.size, lambda _: 0)
    except MachOImportError:
        return False
    return True


def fuzz(seconds: float, seed: int = 0) -> tuple[int, int]:
    """Read damaged files for a while; how many, and how many of them were sound enough."""
    chance = random.Random(seed)
    count = sound = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sound += read(mutate(chance.choice(SOUND), chance))
        count += 1
    return count, sound


if __name__ == "__main__":
    print(*fuzz(float(sys.argv[1])))  # noqa: T201 - a program's answer
