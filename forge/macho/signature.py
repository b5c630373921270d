"""Which kind of code signature a file carries (xnu's ``osfmk/kern/cs_blobs.h``)."""

from __future__ import annotations

import struct

from forge.macho.model import SignatureKind

_SUPER_BLOB = 0xFADE0CC0
_CODE_DIRECTORY = 0xFADE0C02
_CMS = 0xFADE0B01
_AD_HOC = 0x2
_LINKER_SIGNED = 0x20000


def signature_kind(blob: bytes) -> SignatureKind:
    """What the bytes that ``LC_CODE_SIGNATURE`` points to are.

    Never fails: what does not parse is `SignatureKind.UNKNOWN`.
    """
    if len(blob) < 12:
        return SignatureKind.UNKNOWN
    magic, _length, count = struct.unpack_from(">III", blob)
    if magic != _SUPER_BLOB or 12 + count * 8 > len(blob):
        return SignatureKind.UNKNOWN
    flags = None
    for index in range(count):
        offset: int = struct.unpack_from(">I", blob, 12 + index * 8 + 4)[0]
        if offset + 16 > len(blob):
            # An empty CMS wrapper (8 bytes) may end the blob; it says that nobody signed.
            continue
        blob_magic, blob_length, _version, blob_flags = struct.unpack_from(">IIII", blob, offset)
        if blob_magic == _CODE_DIRECTORY and flags is None:
            flags = blob_flags
        elif blob_magic == _CMS and blob_length > 8:
            return SignatureKind.SIGNED
    if flags is None:
        return SignatureKind.UNKNOWN
    if flags & _LINKER_SIGNED:
        return SignatureKind.LINKER
    return SignatureKind.AD_HOC if flags & _AD_HOC else SignatureKind.UNKNOWN
