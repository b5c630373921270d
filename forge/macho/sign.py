"""Ad-hoc code signatures: checked, taken out, made as linkers make them.

A signature is a list of hashes, one a page of the file (the code directory), at the file's end. "Ad hoc" means that
nobody vouches for it: a Mac's kernel asks at least that of arm64 code, which the simulator runs. Formats: xnu's
``osfmk/kern/cs_blobs.h``. What lld and ld64 write is written here byte for byte.
"""

from __future__ import annotations

import enum
import hashlib
import posixpath
import struct
from dataclasses import dataclass

from forge.macho import layout
from forge.macho.checkout import keep_layout
from forge.macho.edit import command_name
from forge.macho.edit_commands import only, open_library, with_u32, write_commands
from forge.macho.edit_linkedit import find_linkedit, resized, segment_name
from forge.macho.errors import MachOError
from forge.macho.layout import Command, SliceLayout
from forge.macho.model import SignatureKind
from forge.macho.signature import signature_kind

_SUPER_BLOB = 0xFADE0CC0
_CODE_DIRECTORY = 0xFADE0C02
_EXEC_SEGMENT_VERSION = 0x20400
_CODE_LIMIT_64_VERSION = 0x20300
_AD_HOC = 0x2
_LINKER_SIGNED = 0x20000
_SHA256 = 2
_HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}
"""``hashType`` to algorithm and the bytes of it that are kept (``CS_HASHTYPE_*``)."""

_ALTERNATES = range(0x1000, 0x1005)
"""``CSSLOT_ALTERNATE_CODEDIRECTORIES``: the same pages under other hashes."""

_DIRECTORY = struct.Struct(">IIIIIIIIIBBBBIIIIQQQQ")
"""``CodeDirectory`` of version 0x20400: magic, length, version, flags, hashOffset, identOffset, nSpecialSlots,
nCodeSlots, codeLimit, hashSize, hashType, platform, pageSize, spare2, scatterOffset, teamOffset, spare3, codeLimit64,
execSegBase, execSegLimit, execSegFlags."""
_V1_SIZE = 44
_ALIGNMENT = 16
_PAGE_SHIFT = 12
"""4 KiB, also where the CPU's pages have 16: what every linker writes."""

_LLD_FIRST_BLOB = 24


class SignatureStatus(enum.StrEnum):
    """What a look at a code signature gave."""

    NONE = "none"
    VALID = "valid"
    INVALID = "invalid"


@dataclass(frozen=True)
class SignatureCheck:
    """A signature, looked at.

    Args:
        status: `SignatureStatus.VALID` says that the hashes are the file's; who signed is not looked at.
        kind: What kind of signature it is.
        problem: Why it is invalid, e.g. ``page 3 (from byte 12288) is not what was signed``.
    """

    status: SignatureStatus
    kind: SignatureKind
    problem: str | None = None


def verify_signature(data: bytes) -> SignatureCheck:
    """Compare a thin file's pages with its signature's hashes.

    Args:
        data: The file, of any type.

    Raises:
        MachOError: It is no thin Mach-O file, or contradicts itself outside the signature.
    """
    is_fat, slices = layout.read_layout(data)
    if is_fat:
        raise MachOError("a fat file; its slices are signed, not the whole")
    index = only(slices[0], layout.LC_CODE_SIGNATURE)
    if index is None:
        return SignatureCheck(SignatureStatus.NONE, SignatureKind.NONE)
    command = slices[0].commands[index]
    offset = command.u32(8)
    blob = data[offset : offset + command.u32(12)]
    kind = signature_kind(blob)
    try:
        for directory in _directories(blob):
            _verify(directory, data, offset)
    except MachOError as error:
        return SignatureCheck(SignatureStatus.INVALID, kind, error.problem)
    if offset + len(blob) != len(data):
        return SignatureCheck(SignatureStatus.INVALID, kind, f"{len(data) - offset - len(blob)} bytes follow it")
    return SignatureCheck(SignatureStatus.VALID, kind)


def remove_signature(data: bytes) -> bytes:
    """A thin dylib or bundle without its code signature.

    Returns:
        The file; *data* itself where there is no signature.

    Raises:
        MachOError: It is no such file, or contradicts itself, or the signature is not at its end.
    """
    frame = open_library(data)
    index = only(frame, layout.LC_CODE_SIGNATURE)
    if index is None:
        return data
    linkedit = find_linkedit(data, frame)
    offset, size = frame.commands[index].u32(8), frame.commands[index].u32(12)
    if offset < linkedit.offset or len(data) - offset - size >= _ALIGNMENT or any(data[offset + size :]):
        raise MachOError("its code signature is not at the end of __LINKEDIT")
    end = _tables_end(data, frame, linkedit.offset, offset)
    commands = list(frame.commands)
    commands[linkedit.command] = resized(frame, commands[linkedit.command], end - linkedit.offset)
    del commands[index]
    return keep_layout(data, write_commands(data, frame, commands)[:end])


def _tables_end(data: bytes, frame: SliceLayout, start: int, signature: int) -> int:
    """Where the last table before a signature ends: what aligned the signature goes with it.

    Args:
        data: The file.
        frame: Its frame.
        start: Where ``__LINKEDIT`` starts.
        signature: Where the signature starts.
    """
    symtab = next((command for command in frame.commands if command.number == layout.LC_SYMTAB), None)
    if symtab is None:
        return signature
    # The string table is the last in every file that Apple's tools sign.
    end = symtab.u32(16) + symtab.u32(20)
    if start <= end <= signature < end + _ALIGNMENT and not any(data[end:signature]):
        return end
    return signature


def sign_ad_hoc(data: bytes, identifier: str | None = None) -> bytes:
    """Sign a thin dylib or bundle ad hoc, as linkers do; a signature that it has is replaced.

    A linker's signature is renewed in its own form, with its own identifier: what a linker has just made stays the
    same to the last byte. Any other file gets what lld would write.

    Args:
        data: The file.
        identifier: What the signature calls the file; by default the old signature's word, else the last part of
            the install name.

    Raises:
        NoRoomError: There is no room for the load command.
        MachOError: It is no such file, or contradicts itself, or no identifier is known.
    """
    frame = open_library(data)
    index = only(frame, layout.LC_CODE_SIGNATURE)
    template = None
    if index is not None:
        command = frame.commands[index]
        template = _template(data[command.u32(8) : command.u32(8) + command.u32(12)])
        data = remove_signature(data)
        frame = open_library(data)
    if template is None or identifier is not None:
        template = _lld_template(frame, identifier or _default_identifier(frame))
    offset = -(-len(data) // _ALIGNMENT) * _ALIGNMENT
    slots = -(-offset // (1 << template.page_shift))
    length = template.hash_offset + slots * 32
    size = -(-(template.first_blob + length) // 8) * 8
    linkedit = find_linkedit(data, frame)
    commands = list(frame.commands)
    commands[linkedit.command] = resized(frame, commands[linkedit.command], offset + size - linkedit.offset)
    points = with_u32(Command(layout.LC_CODE_SIGNATURE, struct.pack("<4I", 0x1D, 16, 0, 0)), 8, offset, size)
    commands.insert(len(commands) if index is None else index, points)
    signed = write_commands(data.ljust(offset, b"\0"), frame, commands)
    directory = bytearray(template.directory)
    struct.pack_into(">I", directory, 4, length)
    struct.pack_into(">II", directory, 28, slots, offset)
    blob = struct.pack(">IIIII", _SUPER_BLOB, template.first_blob + length, 1, 0, template.first_blob)
    blob = blob.ljust(template.first_blob, b"\0") + directory + _page_hashes(signed, 1 << template.page_shift)
    return keep_layout(data, signed + blob.ljust(size, b"\0"))


@dataclass(frozen=True)
class _Template:
    """What of a signature does not depend on the file's contents.

    Args:
        first_blob: Where the code directory starts, bytes from the signature's start.
        directory: The code directory up to its hashes.
    """

    first_blob: int
    directory: bytes

    @property
    def hash_offset(self) -> int:
        return len(self.directory)

    @property
    def page_shift(self) -> int:
        return self.directory[39]


def _template(blob: bytes) -> _Template | None:
    """The template of a linker's signature, or of one like it; None where it has more than a linker writes."""
    if len(blob) < 20 or struct.unpack_from(">I4xI", blob) != (_SUPER_BLOB, 1):
        return None
    slot, first = struct.unpack_from(">II", blob, 12)
    if slot != 0 or first not in (20, _LLD_FIRST_BLOB) or first + _DIRECTORY.size > len(blob):
        return None
    (magic, _, version, flags, hashes, name, special, _, _, hash_size, hash_type, _, shift, *rest) = (
        _DIRECTORY.unpack_from(blob, first)
    )
    spare_scatter_team = rest[:5]
    if (magic, version, special, hash_size, hash_type) != (_CODE_DIRECTORY, _EXEC_SEGMENT_VERSION, 0, 32, _SHA256):
        return None
    if any(spare_scatter_team) or not flags & _AD_HOC or shift not in (12, 14) or name != _DIRECTORY.size:
        return None
    header = blob[first : first + hashes]
    if not name < hashes == len(header) or hashes > 4096 or b"\0" not in header[name:]:
        return None
    return _Template(first, header)


def _lld_template(frame: SliceLayout, identifier: str) -> _Template:
    """What lld's ``CodeSignatureSection`` writes for a library."""
    name = identifier.encode("utf-8", errors="backslashreplace")
    headers = _LLD_FIRST_BLOB + _DIRECTORY.size
    name = name.ljust(-(-(headers + len(name) + 1) // 16) * 16 - headers, b"\0")
    text = next((c for c in frame.commands if segment_name(c) == "__TEXT"), None)
    start, size = struct.unpack_from("<QQ", text.data, 40) if text else (0, 0)
    header = _DIRECTORY.pack(
        _CODE_DIRECTORY, 0, _EXEC_SEGMENT_VERSION, _AD_HOC | _LINKER_SIGNED, _DIRECTORY.size + len(name),
        _DIRECTORY.size, 0, 0, 0, 32, _SHA256, 0, _PAGE_SHIFT, 0, 0, 0, 0, 0, start, size, 0,
    )  # fmt: skip
    return _Template(_LLD_FIRST_BLOB, header + name)


def _default_identifier(frame: SliceLayout) -> str:
    index = only(frame, layout.LC_ID_DYLIB)
    if index is None:
        raise MachOError("it has no install name that a signature could call it by")
    return posixpath.basename(command_name(frame.commands[index])) or "library"


def _page_hashes(data: bytes, page: int) -> bytes:
    view = memoryview(data)
    return b"".join(hashlib.sha256(view[at : at + page]).digest() for at in range(0, len(data), page))


def _directories(blob: bytes) -> list[bytes]:
    """Every code directory in a signature."""
    if len(blob) < 12:
        raise MachOError("it is cut off")
    magic, length, count = struct.unpack_from(">III", blob)
    if magic != _SUPER_BLOB:
        raise MachOError("it does not start as a signature does")
    if length > len(blob) or 12 + count * 8 > length:
        raise MachOError("it is cut off")
    found: list[bytes] = []
    for index in range(count):
        slot, offset = struct.unpack_from(">II", blob, 12 + index * 8)
        if slot != 0 and slot not in _ALTERNATES:
            continue
        if offset + _V1_SIZE > length:
            raise MachOError("its code directory is cut off")
        blob_magic, blob_length = struct.unpack_from(">II", blob, offset)
        if blob_magic != _CODE_DIRECTORY or not _V1_SIZE <= blob_length <= length - offset:
            raise MachOError("its code directory is malformed")
        found.append(blob[offset : offset + blob_length])
    if not found or len(found) > len(_ALTERNATES) + 1:
        raise MachOError(f"it has {len(found)} code directories")
    return found


def _verify(directory: bytes, data: bytes, signature_offset: int) -> None:
    """Compare a code directory with the file.

    Raises:
        MachOError: They disagree; with the place.
    """
    version, _, hashes, _, _, slots, limit = struct.unpack_from(">7I", directory, 8)
    size, kind, _, shift = directory[36:40]
    if version >= _CODE_LIMIT_64_VERSION and len(directory) >= 64:
        limit = struct.unpack_from(">Q", directory, 56)[0] or limit
    if kind not in _HASHES or _HASHES[kind][1] != size:
        raise MachOError(f"it has hashes of an unknown kind ({kind}, {size} bytes)")
    if limit != signature_offset:
        raise MachOError(f"it covers {limit} bytes of the {signature_offset} before it")
    # A shift of 0 means one page as long as the file; above 2^16 no kernel reads.
    page = 1 << shift if shift else max(limit, 1)
    if shift > 16 or slots != -(-limit // page) or hashes + slots * size > len(directory):
        raise MachOError(f"it has {slots} hashes for {limit} bytes in pages of {page}")
    algorithm = _HASHES[kind][0]
    for slot in range(slots):
        contents = data[slot * page : min((slot + 1) * page, limit)]
        digest = hashlib.new(algorithm, contents, usedforsecurity=False).digest()[:size]
        if digest != directory[hashes + slot * size : hashes + (slot + 1) * size]:
            raise MachOError(f"page {slot} (from byte {slot * page}) is not what was signed")
