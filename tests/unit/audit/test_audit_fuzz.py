from __future__ import annotations

import random
from typing import TYPE_CHECKING

from forge.audit.check import FILE_CHECKS, check_wheel, promise_of, promised_target
from forge.audit.promise import check_subject
from forge.audit.subject import read_files
from forge.macho.sign import sign_ad_hoc
from forge.wheel.contents import read_wheel
from tests.unit.audit.broken import ARM_SIMULATOR, MODULE, SIMULATOR_MODULE, SIMULATOR_SPEC, wheel
from tests.unit.effort import cases
from tests.unit.macho import builder
from tests.unit.macho.builder import fat, macho

if TYPE_CHECKING:
    from pathlib import Path

CASES = cases(1000)
WHEELS = cases(100)
SEED = 20_260_501
SEEDS = (
    sign_ad_hoc(macho(SIMULATOR_SPEC)),
    fat(macho(), macho(cpu=builder.X86_64)),
    macho(stabs=("x.o",), trie=b"", rpaths=("@loader_path",), encrypted=True, extra_section=("__DATA", "__x")),
)
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)


def mutated(rng: random.Random) -> bytes:
    """A file with a few bytes changed, mostly in its headers, sometimes cut off or with a part doubled."""
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.randint(1, 6)):
        # Headers and __LINKEDIT are what readers follow; what lies between is code.
        at = rng.randrange(0x400) if rng.random() < 0.7 else rng.randrange(len(data))
        data[at] = rng.choice(INTERESTING) if rng.random() < 0.5 else rng.randrange(256)
    match rng.randrange(20):
        case 0:
            del data[rng.randrange(len(data)) :]
        case 1:
            at = rng.randrange(len(data))
            data[at:at] = data[at : at + rng.randrange(1, 64)]
        case _:
            pass
    return bytes(data)


def test_mutated_binaries_give_findings_and_never_an_exception(tmp_path: Path) -> None:
    path = wheel({SIMULATOR_MODULE: SEEDS[0]}, f"cp313-cp313-{ARM_SIMULATOR}")(tmp_path)
    contents = read_wheel(path)
    target = promised_target(contents.name.platforms)
    rng = random.Random(SEED)
    found: set[str] = set()
    for number in range(CASES):
        data = mutated(rng)
        try:
            subject = read_files(contents, [(SIMULATOR_MODULE, data)], guess=True)
            findings = check_subject(subject, promise_of(subject, target), FILE_CHECKS)
        except Exception as error:
            raise AssertionError(f"case {number} of seed {SEED}: {data[:64].hex()}…") from error
        found |= {finding.name for finding in findings}
    # The mutations reach the checks, not the reader's front door alone.
    assert {"malformed-macho", "invalid-signature", "wrong-platform", "unsigned-simulator-binary"} <= found


def test_mutated_wheels_give_findings_and_never_an_exception(tmp_path: Path) -> None:
    path = wheel({MODULE: macho(), "example/libz.a": b"!<arch>\n"})(tmp_path)
    sound = path.read_bytes()
    directory = sound.index(b"PK\1\2")  # where the archive's own directory starts
    rng = random.Random(SEED)
    ended: set[str] = set()
    for number in range(WHEELS):
        data = bytearray(sound)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(directory, len(data)) if rng.random() < 0.6 else rng.randrange(len(data))
            data[at] = rng.choice(INTERESTING) if rng.random() < 0.5 else rng.randrange(256)
        path.write_bytes(bytes(data))
        try:
            ended |= {finding.name for finding in check_wheel(path).findings}
        except Exception as error:
            raise AssertionError(f"wheel {number} of seed {SEED}") from error
    assert "unreadable-wheel" in ended
