"""What ``forge new`` says at its end, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.authoring.published import last_with_wheels
from forge.lint.run import lint_recipes
from forge.recipe.diagnostics import shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forge.authoring.compose import Findings
    from forge.authoring.published import PublishedWheels
    from forge.authoring.release import Release
    from forge.authoring.trying import Attempt, Tried
    from forge.recipe.store import RecipeStore

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""


@dataclass(frozen=True)
class Report:
    """What became of a package.

    Args:
        name: The package.
        version: The release.
        needless: Why no recipe is needed, or empty.
        lacking: What it requires then that has compiled code, and neither recipe nor iOS wheels.
        missing: By version of Python, the iOS targets that the project publishes no wheel for.
        ios_version: The lowest iOS that its iOS wheels install on, or empty.
        problems: What ``forge check`` says of them.
        last_ios_release: The newest other version with iOS wheels, or empty.
        yanked: Whether the project has withdrawn the release.
        recipe: The recipe's file, or empty if none was written.
        back_end: The kind, and what the project declares.
        languages: What the project is written in.
        extensions: How many extension modules are promised.
        compared: The published wheel that they are from, or empty.
        unsure: What a person has to look at.
        lint: What ``forge lint`` finds.
        attempts: The builds that ``--try`` made.
        wheel: The wheel that came of them, or empty.
    """

    name: str
    version: str
    needless: str
    missing: Mapping[str, tuple[str, ...]]
    ios_version: str
    problems: tuple[str, ...]
    last_ios_release: str
    lacking: tuple[str, ...] = ()
    yanked: bool = False
    recipe: str = ""
    back_end: tuple[str, str] = ("", "")
    languages: tuple[str, ...] = ()
    extensions: int = 0
    compared: str = ""
    unsure: tuple[str, ...] = ()
    lint: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    wheel: str = ""

    @classmethod
    def of(
        cls, release: Release, published: PublishedWheels, needless: str, found: Findings | None, tried: Tried | None,
        store: RecipeStore, lacking: tuple[str, ...] = (),
    ) -> Report:  # fmt: skip
        """Put together what is known of a package.

        Args:
            release: The release.
            published: Its iOS wheels.
            needless: Why no recipe is needed, or empty.
            found: What was made a recipe of; None if none was written.
            tried: What came of trying it; None if it was not.
            store: The recipes, the new one among them.
            lacking: What it requires and cannot get on iOS, where no recipe is needed.
        """
        there = published.ios_version is not None
        bare = cls(
            name=release.name,
            version=release.version,
            needless=needless,
            missing=published.missing if there else {},
            ios_version=str(published.ios_version) if there else "",
            problems=tuple(f"{p.filename}: {p.finding.id}: {p.finding.message}" for p in published.problems),
            last_ios_release="" if there else last_with_wheels(release) or "",
            lacking=lacking,
            yanked=release.yanked,
        )
        if found is None:
            return bare
        draft = found.draft if tried is None else tried.draft
        findings = lint_recipes(store, [draft.name]).findings
        return cls(
            **{
                **vars(bare),
                "recipe": shown_path(store.path(draft.name)),
                "back_end": (str(draft.backend), found.back_end.declared),
                "languages": found.languages,
                "extensions": len(draft.extensions),
                "compared": found.compared,
                "unsure": draft.doubts(),
                "lint": tuple(f"{each.rule.id} {each.message}" for each in findings),
                "attempts": tried.attempts if tried else (),
                "wheel": shown_path(tried.wheel) if tried and tried.wheel else "",
            }
        )

    def to_json(self) -> str:
        """One object."""
        data = {"version": JSON_VERSION, "name": self.name, "release": self.version}
        rest = {key: value for key, value in vars(self).items() if key not in ("name", "version", "attempts")}
        attempts = [vars(each) for each in self.attempts]
        return json.dumps({**data, **rest, "attempts": attempts}, indent=2, ensure_ascii=False) + "\n"

    def text(self) -> str:
        """Lines for people."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        if self.needless:
            yield f"no recipe is needed: {self.needless}"
            for name in self.lacking:
                yield f"  but it requires {name}, which has compiled code and neither recipe nor iOS wheels"
        elif self.ios_version:
            yield f"{self.name} {self.version} publishes iOS wheels, but they do not serve:"
        yield from self._wheels()
        if self.yanked:
            yield f"{self.name} {self.version} was withdrawn by its project (yanked)"
        if not self.recipe:
            return
        yield f"{self.recipe}: {self.name} {self.version}"
        yield f"  back end: {self.back_end[0]} ({self.back_end[1]})"
        yield f"  languages: {', '.join(self.languages) or 'none found'}"
        yield f"  extension modules: {self.extensions}" + (f", as in {self.compared}" if self.compared else "")
        yield from (f"  unsure: {each}" for each in self.unsure)
        yield from (f"  lint: {each}" for each in self.lint)
        if self.attempts:
            yield from self._tries()
        else:
            yield f"  next: forge build {self.name}"

    def _wheels(self) -> Iterator[str]:
        for minor, missing in self.missing.items():
            if not missing:
                yield f"  Python {minor}: for all three targets, iOS {self.ios_version} or later"
            else:
                yield f"  Python {minor}: not for {', '.join(missing)}"
        yield from (f"  {problem}" for problem in self.problems)
        if self.last_ios_release:
            yield f"  the newest version with iOS wheels is {self.last_ios_release}"

    def _tries(self) -> Iterator[str]:
        yield "  tried:"
        for number, each in enumerate(self.attempts, 1):
            what = each.mend or "as it was written"
            yield f"    {number}. {what}: {each.outcome}" + ("" if each.kept else " (taken back)")
        if self.wheel:
            yield f"  wheel: {self.wheel}"
