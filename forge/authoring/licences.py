"""A project's licence as an SPDX expression (PEP 639), and how sure that is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.authoring.project_metadata import ProjectMetadata

UNKNOWN = "LicenseRef-Unknown"
"""What stands in a recipe whose licence a person has to find out."""

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PostgreSQL License": "PostgreSQL",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "Zope Public License": "ZPL-2.1",
    "zlib/libpng License": "Zlib",
}
"""Classifiers, by their last part, that stand for one SPDX licence. 'BSD License' and a bare 'GPL' do not."""

_NAMES = {
    "apache": "Apache-2.0", "apache 2": "Apache-2.0", "apache 2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0", "apache license version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0", "3-clause bsd": "BSD-3-Clause", "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause", "new bsd": "BSD-3-Clause", "new bsd license": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause", "2-clause bsd": "BSD-2-Clause", "bsd 2-clause": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause", "mit license": "MIT", "the mit license": "MIT", "expat": "MIT",
    "isc license": "ISC", "mpl 2.0": "MPL-2.0", "mozilla public license 2.0": "MPL-2.0", "psf": "PSF-2.0",
    "zpl 2.1": "ZPL-2.1", "zpl-2.1": "ZPL-2.1", "lgplv3+": "LGPL-3.0-or-later", "gplv3+": "GPL-3.0-or-later",
    "unlicense": "Unlicense", "zlib": "Zlib",
}  # fmt: skip
"""What projects write into the old field License, in lower case."""

_TEXTS = (
    (r"Apache License\s+Version 2\.0", "Apache-2.0"),
    (r"Mozilla Public License,?\s+[Vv]ersion 2\.0", "MPL-2.0"),
    (r"Redistribution and use in source and binary forms.*(?:Neither the name|names? of .{0,80}contributors)",
     "BSD-3-Clause"),
    (r"Redistribution and use in source and binary forms", "BSD-2-Clause"),
    (r"Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT"),
    (r"Permission to use, copy, modify, and(?:/or)? distribute this software", "ISC"),
    (r"free and unencumbered software released into the public domain", "Unlicense"),
)  # fmt: skip
"""Words of licences' texts; of two the first counts."""


@dataclass(frozen=True)
class Licence:
    """A licence.

    Args:
        expression: SPDX, canonical; `UNKNOWN` where nothing tells it.
        doubt: Why a person has to look, or empty.
    """

    expression: str
    doubt: str = ""


def licence_of(metadata: ProjectMetadata, texts: Iterable[str]) -> Licence:
    """Work out a licence: License-Expression, else License, else classifiers, else the text of licence files.

    Args:
        metadata: The project's.
        texts: The contents of its licence files, the main one first.
    """
    if (sure := _canonical(metadata.license_expression)) is not None:
        return Licence(sure)
    by_text = next((found for text in texts if (found := licence_of_text(text))), None)
    listed = [name.rpartition(" :: ")[2] for name in metadata.classifiers if name.startswith("License :: ")]
    classified = [_CLASSIFIERS.get(name) for name in listed if name != "OSI Approved"]
    field = _canonical(metadata.license) or _NAMES.get(" ".join(metadata.license.lower().split()))
    if field is not None:
        others = {each for each in (*classified, by_text) if each and each not in field}
        return Licence(field, f"a classifier or the licence file says {min(others)}" if others else "")
    known = [each for each in classified if each]
    if len(known) == len(classified) == 1:
        if by_text is not None and by_text != known[0]:
            return Licence(known[0], f"the licence file looks like {by_text}")
        return Licence(known[0], "" if by_text else "from a classifier alone")
    if len(known) > 1:
        return Licence(" OR ".join(dict.fromkeys(known)), f"there are {len(known)} classifiers; is it OR, or AND?")
    if by_text is not None:
        return Licence(by_text, "from the words of the licence file")
    return Licence(UNKNOWN, "neither the metadata nor a licence file tells")


def licence_of_text(text: str) -> str | None:
    """The SPDX licence whose words a text has, or None.

    Args:
        text: A licence file.
    """
    for words, expression in _TEXTS:
        if re.search(words, text, flags=re.DOTALL):
            return expression
    return None


def _canonical(text: str) -> str | None:
    try:
        return canonicalize_license_expression(text) if text and "\n" not in text else None
    except InvalidLicenseExpression:
        return None
