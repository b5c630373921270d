"""The values that `forge.macho.reader.read_macho` gives.

Numbers and names are those of Apple's ``mach-o/loader.h``, ``mach-o/nlist.h`` and ``mach/machine.h``.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Cpu(enum.StrEnum):
    """CPUs by Apple's names; everything that no iOS Python runs on is `OTHER`."""

    ARM64 = "arm64"
    ARM64E = "arm64e"
    X86_64 = "x86_64"
    OTHER = "other"


class FileType(enum.IntEnum):
    """``filetype`` of ``mach_header_64``."""

    OBJECT = 1
    EXECUTE = 2
    FVMLIB = 3
    CORE = 4
    PRELOAD = 5
    DYLIB = 6
    DYLINKER = 7
    BUNDLE = 8
    DYLIB_STUB = 9
    DSYM = 10
    KEXT_BUNDLE = 11
    FILESET = 12
    GPU_EXECUTE = 13
    GPU_DYLIB = 14

    @property
    def macro(self) -> str:
        """The C macro's name, e.g. ``MH_DYLIB``."""
        return f"MH_{self.name}"


class Platform(enum.IntEnum):
    """``platform`` of ``LC_BUILD_VERSION``; a number not listed here reads as `UNKNOWN`."""

    UNKNOWN = 0
    MACOS = 1
    IOS = 2
    TVOS = 3
    WATCHOS = 4
    BRIDGEOS = 5
    MAC_CATALYST = 6
    IOS_SIMULATOR = 7
    TVOS_SIMULATOR = 8
    WATCHOS_SIMULATOR = 9
    DRIVERKIT = 10
    VISIONOS = 11
    VISIONOS_SIMULATOR = 12

    @classmethod
    def _missing_(cls, _value: object) -> Platform:
        return cls.UNKNOWN

    @property
    def label(self) -> str:
        """What people call it, e.g. ``iOS simulator``."""
        return _PLATFORM_LABELS[self]


_PLATFORM_LABELS = {
    Platform.UNKNOWN: "unknown platform",
    Platform.MACOS: "macOS",
    Platform.IOS: "iOS",
    Platform.TVOS: "tvOS",
    Platform.WATCHOS: "watchOS",
    Platform.BRIDGEOS: "bridgeOS",
    Platform.MAC_CATALYST: "Mac Catalyst",
    Platform.IOS_SIMULATOR: "iOS simulator",
    Platform.TVOS_SIMULATOR: "tvOS simulator",
    Platform.WATCHOS_SIMULATOR: "watchOS simulator",
    Platform.DRIVERKIT: "DriverKit",
    Platform.VISIONOS: "visionOS",
    Platform.VISIONOS_SIMULATOR: "visionOS simulator",
}


class HeaderFlag(enum.IntFlag, boundary=enum.KEEP):
    """``flags`` of ``mach_header_64``; bits without a name here are kept."""

    NOUNDEFS = 0x1
    DYLDLINK = 0x4
    TWOLEVEL = 0x80
    FORCE_FLAT = 0x100
    SUBSECTIONS_VIA_SYMBOLS = 0x2000
    WEAK_DEFINES = 0x8000
    BINDS_TO_WEAK = 0x10000
    ALLOW_STACK_EXECUTION = 0x20000
    NO_REEXPORTED_DYLIBS = 0x100000
    PIE = 0x200000
    HAS_TLV_DESCRIPTORS = 0x800000
    APP_EXTENSION_SAFE = 0x2000000


@dataclass(frozen=True, order=True)
class Version:
    """A version as Mach-O packs it into 32 bits: 16 bits major, 8 minor, 8 patch."""

    major: int
    minor: int = 0
    patch: int = 0

    @classmethod
    def unpack(cls, packed: int) -> Version:
        """From the packed form, e.g. ``0x000D0400`` is 13.4."""
        return cls(packed >> 16 & 0xFFFF, packed >> 8 & 0xFF, packed & 0xFF)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}" + (f".{self.patch}" if self.patch else "")


@dataclass(frozen=True)
class BuildInfo:
    """What one ``LC_BUILD_VERSION`` or ``LC_VERSION_MIN_*`` says.

    Args:
        platform: What the file is for. ``LC_VERSION_MIN_IPHONEOS`` on x86_64 is the simulator.
            x86_64 devices do not exist.
        number: The platform's number as it stands, also where no name is known.
        minos: The lowest OS version it runs on.
        sdk: The SDK it was linked with; 0.0 where it does not say.
        command: Which load command says so, e.g. ``LC_BUILD_VERSION``.
    """

    platform: Platform
    number: int
    minos: Version
    sdk: Version
    command: str


class LoadKind(enum.StrEnum):
    """How a library is loaded: which of the ``LC_*_DYLIB`` commands names it."""

    NORMAL = "normal"
    WEAK = "weak"
    REEXPORT = "reexport"
    LAZY = "lazy"
    UPWARD = "upward"


@dataclass(frozen=True)
class Dylib:
    """A library that a file loads, or (as the install name) is."""

    name: str
    kind: LoadKind
    compatibility_version: Version
    current_version: Version


class Binding(enum.StrEnum):
    """Where the dynamic linker looks for an imported symbol (``nlist.h``, ``GET_LIBRARY_ORDINAL``)."""

    LIBRARY = "library"
    SELF = "self"
    EXECUTABLE = "main executable"
    DYNAMIC_LOOKUP = "dynamic lookup"
    FLAT = "flat namespace"


@dataclass(frozen=True)
class Import:
    """An undefined symbol.

    Args:
        name: As in the symbol table, with C's leading underscore.
        binding: Where it is looked for; ``-undefined dynamic_lookup`` leaves `Binding.DYNAMIC_LOOKUP`.
        library: The install name it is bound to, for `Binding.LIBRARY` only.
        weak: May be missing at run time (``N_WEAK_REF``).
        ordinal: The library ordinal as it stands in ``n_desc``.
    """

    name: str
    binding: Binding
    library: str | None
    weak: bool
    ordinal: int


@dataclass(frozen=True)
class Export:
    """An exported symbol.

    Args:
        name: With C's leading underscore.
        weak: A weak definition, e.g. of a C++ template.
        reexport: It stands for a symbol of another library.
    """

    name: str
    weak: bool = False
    reexport: bool = False


class SignatureKind(enum.StrEnum):
    """What kind of code signature there is."""

    NONE = "none"
    LINKER = "ad-hoc, by the linker"
    AD_HOC = "ad-hoc"
    SIGNED = "signed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Encryption:
    """``LC_ENCRYPTION_INFO_64``: what a store encrypts (bytes from the slice's start); id 0: not yet."""

    offset: int
    size: int
    crypt_id: int


@dataclass(frozen=True)
class Section:
    """A section; *kind* is the low byte of its flags (``S_REGULAR`` …), *flags* the whole."""

    name: str
    address: int
    size: int
    offset: int
    kind: int
    flags: int


@dataclass(frozen=True)
class Segment:
    """A segment; offsets and sizes in bytes, from the slice's start."""

    name: str
    address: int
    virtual_size: int
    file_offset: int
    file_size: int
    protection: int
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class MachOSlice:
    """One architecture's part of a file; of a thin file, all of it.

    Args:
        offset: Bytes from the file's start.
        size: Its length in bytes.
        commands_end: Where the load commands end, bytes from the slice's start.
        cpu: The CPU by Apple's name.
        cpu_type: ``cputype`` as it stands.
        cpu_subtype: ``cpusubtype`` without its capability bits.
        file_type: Dylib, bundle, executable …
        flags: The header's flags.
        builds: What the version commands say; more than one in a "zippered" file, none in an odd one.
        install_name: ``LC_ID_DYLIB``.
        dylibs: Libraries loaded, in the order that library ordinals count.
        rpaths: ``LC_RPATH``, in order.
        exports: From the export trie where there is one, else the symbol table; sorted by name.
        imports: Undefined symbols, sorted by name.
        uuid: 32 hex digits.
        signature: What kind of code signature there is.
        encryption: What a store would encrypt.
        segments: In the file's order.
        has_debug_map: The symbol table holds debugger entries (stabs), which name the build machine's files.
    """

    offset: int
    size: int
    commands_end: int
    cpu: Cpu
    cpu_type: int
    cpu_subtype: int
    file_type: FileType
    flags: HeaderFlag
    builds: tuple[BuildInfo, ...]
    install_name: Dylib | None
    dylibs: tuple[Dylib, ...]
    rpaths: tuple[str, ...]
    exports: tuple[Export, ...]
    imports: tuple[Import, ...]
    uuid: str | None
    signature: SignatureKind
    encryption: Encryption | None
    segments: tuple[Segment, ...]
    has_debug_map: bool
    has_chained_fixups: bool = False

    @property
    def build(self) -> BuildInfo | None:
        """The first version command, which is the only one in a file for iOS."""
        return self.builds[0] if self.builds else None

    @property
    def platform(self) -> Platform:
        """What the file is for; `Platform.UNKNOWN` where it does not say."""
        return self.builds[0].platform if self.builds else Platform.UNKNOWN

    @property
    def two_level(self) -> bool:
        """Whether imports name the library they come from."""
        return HeaderFlag.TWOLEVEL in self.flags

    @property
    def has_dwarf(self) -> bool:
        """Whether there are DWARF sections."""
        return any(segment.name == "__DWARF" for segment in self.segments) or any(
            section.name.startswith("__debug_") for segment in self.segments for section in segment.sections
        )

    def exports_symbol(self, name: str) -> bool:
        """Whether *name* (with its underscore) is exported."""
        return any(export.name == name for export in self.exports)


@dataclass(frozen=True)
class MachOFile:
    """A Mach-O file.

    Args:
        is_fat: Whether it has a fat header, be it over one slice.
        slices: At least one, in the fat header's order.
    """

    is_fat: bool
    slices: tuple[MachOSlice, ...]
