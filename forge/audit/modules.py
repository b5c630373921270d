"""Which of a wheel's ``.so`` files are extension modules: not those that its modules load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.macho.errors import MachOError
from forge.macho.formats import looks_like_macho
from forge.macho.reader import read_macho
from forge.wheel.extension import SuffixKind
from forge.wheel.framework_name import framework_install_name, framework_name

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from forge.wheel.contents import WheelContents
    from forge.wheel.extension import ExtensionFile


def extension_modules(contents: WheelContents) -> tuple[ExtensionFile, ...]:
    """A wheel's ``.so`` files without the libraries that it carries for them (``pkg/_dylibs/libx.so``).

    Raises:
        WheelError: A member cannot be unpacked.
    """
    if all(one.kind is not SuffixKind.PLAIN for one in contents.extensions):
        return contents.extensions
    loaded = frozenset(_loaded(contents))
    return tuple(one for one in contents.extensions if not is_loaded(one, loaded))


def is_loaded(extension: ExtensionFile, loaded: Container[str]) -> bool:
    """Whether a file is what others load.

    Args:
        extension: The file.
        loaded: The install names that the wheel's binaries load.
    """
    return framework_install_name(framework_name(extension.member) or "") in loaded


def _loaded(contents: WheelContents) -> Iterator[str]:
    for member, data in contents.read_all():
        if member.endswith(".so") and looks_like_macho(data[:8]):
            try:
                slices = read_macho(data).slices
            except MachOError:  # the check tells
                continue
            yield from (dylib.name for one in slices for dylib in one.dylibs)
